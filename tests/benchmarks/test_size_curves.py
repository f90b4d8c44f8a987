"""The benchmark of sizes, at its smallest: it measures something, and makes a page's table anew."""

import sizes


def test_the_table_of_a_page_is_made_anew(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sizes, "measure_machine", lambda: sizes.Machine(1e10, 1e10))
    monkeypatch.setattr(sizes, "WIDTH", 32)
    page = tmp_path / "sizes.md"
    page.write_text(f"Before.\n\n{sizes.MARKS[0]}\nold\n{sizes.MARKS[1]}\n\nAfter.\n", encoding="utf-8")
    smallest = min(size.cells * size.tokens for size in sizes.SIZES)
    assert sizes.main(["--largest", str(smallest), "--write", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("Before.\n\n")
    assert text.endswith("\n\nAfter.\n")
    assert "old" not in text
    header, _, row = (line.split(" | ") for line in text.splitlines() if line.startswith("|"))
    assert len(header) == len(row) == len(sizes.COLUMNS)
    assert row[:3] == ["| 16 × 16", "256", "512"]
    assert "0.0 ms" not in (row[4], row[7])
    assert "| 16 × 16 |" in capsys.readouterr().out
