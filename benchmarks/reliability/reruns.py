"""How a real kernel grows when a cell that shows an explanation runs again and again.

``python benchmarks/reliability/reruns.py`` prints a line of JSON for each row: what was tried, how often, what
happened. ``--share 0.02`` does a fiftieth of each. Pairs are what was open after a tenth of the runs and after all of
them; growth is that of the kernel's resident memory in between.
"""

from __future__ import annotations

import argparse
import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    Row = dict[str, Any]

SEED = 7


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--share", type=float, default=1.0, help="of the full counts (default 1)")
    share = parser.parse_args().share
    for ending, times in ROWS:
        start = time.perf_counter()
        with kernel() as client:
            row = rerun(client, max(1, round(times * share)), ending)
        print(json.dumps({**row, "seconds": round(time.perf_counter() - start, 1)}), flush=True)


@contextmanager
def kernel() -> Iterator[Any]:
    """Start a kernel with the demo model and a picture of 1,280 × 960 pixels; yield its client."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel()
    try:
        _execute(client, _SETUP, "setup")
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def rerun(client: Any, times: int, ending: str) -> Row:
    """Run one cell so often, as JupyterLab does; return what was open early and late, and by how much it grew.

    What IPython keeps as ``Out`` is thrown away in the end; its last three results it keeps even then.
    """
    code = f"ex = tam.explain(model, processor, photo, prompt, answer=answer)\n{ending}"
    early: list[int] = []
    for done in range(1, times + 1):
        _execute(client, code, ending)
        if done == max(1, times // 10):
            early = _execute(client, "", "look")
    late = _execute(client, "", "look")
    _execute(client, "%reset -f out", "reset")
    reset = _execute(client, "", "look")
    names = ("widgets", "comms", "explanations")
    happened: Row = {name: [early[k], late[k]] for k, name in enumerate(names)}
    happened["explanations after %reset out"] = reset[2]
    happened["grown, MB"] = round((late[3] - early[3]) / 2**20, 1)
    return {"tried": f"re-run a cell that ends with {ending}", "times": times, "happened": happened}


def _execute(client: Any, code: str, cell: str) -> list[int]:
    """Run a cell, and return what is open in the kernel after it."""
    content = {
        "code": code,
        "silent": False,
        "store_history": True,
        "allow_stdin": False,
        "user_expressions": {"found": "found()" if not code else "0"},
    }
    message = client.session.msg("execute_request", content, metadata={"cellId": cell})
    client.shell_channel.send(message)
    asked = message["header"]["msg_id"]
    while (news := client.get_iopub_msg(timeout=_PATIENCE))["parent_header"].get("msg_id") != asked or news[
        "content"
    ].get("execution_state") != "idle":
        pass
    while (reply := client.get_shell_msg(timeout=_PATIENCE))["parent_header"].get("msg_id") != asked:
        pass
    if reply["content"]["status"] != "ok":
        raise RuntimeError("\n".join(reply["content"]["traceback"]))
    told: list[int] = json.loads(f"[{reply['content']['user_expressions']['found']['data']['text/plain'].strip('()')}]")
    return told


_PATIENCE = 600  # s, for one message of the kernel

_SETUP = f"""
import gc
import comm, psutil
import tam_widget as tam
from ipywidgets.widgets.widget import _instances

model, processor = tam.load_demo()
scene = tam.demo.scene(seed={SEED})
photo, prompt, answer = scene.image.resize((1280, 960)), scene.prompt, scene.caption

def found():
    gc.collect()
    explanations = sum(isinstance(one, tam.Explanation) for one in gc.get_objects())
    return len(_instances), len(comm.get_comm_manager().comms), explanations, psutil.Process().memory_info().rss
"""

ROWS = [("display(ex)", 1000), ("display(ex.widget())", 1000), ("ex", 100)]

if __name__ == "__main__":
    main()
