"""The things: their names, how large they are beside each other, and what colour each drawing of them is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Artist: TypeAlias = Literal["fluent", "noto"]
ARTISTS: tuple[Artist, ...] = get_args(Artist)
"""Fluent's drawings are soft and round, Noto's are flat; ``assets/NOTICE`` says whose they are."""

# Sign, name, plural, size, and the colour of Fluent's and of Noto's drawing where one word says it.
_TABLE = """
🐈 cat cats middle orange yellow
🐕 dog dogs middle - -
🐎 horse horses large brown brown
🐄 cow cows large - -
🐖 pig pigs middle pink pink
🐑 sheep sheep middle - white
🐪 camel camels large - -
🦒 giraffe giraffes large - -
🐘 elephant elephants large gray gray
🐅 tiger tigers large - orange
🦓 zebra zebras large - -
🐒 monkey monkeys middle brown brown
🦘 kangaroo kangaroos middle - -
🐇 rabbit rabbits middle - white
🐁 mouse mice small gray -
🦔 hedgehog hedgehogs small brown brown
🐓 rooster roosters middle - -
🐧 penguin penguins middle - -
🦆 duck ducks middle - -
🦉 owl owls middle brown brown
🦩 flamingo flamingos middle pink pink
🦚 peacock peacocks middle - -
🐸 frog frogs small green green
🐊 crocodile crocodiles large green green
🐢 turtle turtles middle green green
🐍 snake snakes middle green green
🐬 dolphin dolphins large blue blue
🐟 fish fish middle blue blue
🐙 octopus octopuses middle - -
🦈 shark sharks large gray gray
🦀 crab crabs middle pink orange
🐌 snail snails small brown -
🦋 butterfly butterflies small - -
🐝 bee bees small - -
🕷 spider spiders small - gray
🐻 bear bears middle brown brown
🐼 panda pandas middle - -
🦁 lion lions middle - -
🦊 fox foxes middle orange orange
🍎 apple apples small red red
🍐 pear pears small green green
🍋 lemon lemons small yellow yellow
🍌 banana bananas small yellow yellow
🍉 watermelon watermelons middle - -
🍓 strawberry strawberries small red red
🍍 pineapple pineapples middle - -
🍅 tomato tomatoes small red red
🍆 eggplant eggplants small purple purple
🥑 avocado avocados small green green
🥕 carrot carrots small orange orange
🍄 mushroom mushrooms small - -
🥐 croissant croissants small - -
🥨 pretzel pretzels small - -
🍔 burger burgers middle - -
🍕 pizza pizzas middle - -
🥪 sandwich sandwiches middle - -
🌮 taco tacos small - -
🍩 donut donuts small brown brown
🍪 cookie cookies small brown brown
🎂 cake cakes middle - -
🧁 cupcake cupcakes small pink -
🌳 tree trees large green green
🌵 cactus cactuses middle green green
🌻 sunflower sunflowers middle yellow yellow
🌹 rose roses small red red
🍁 leaf leaves small pink red
🚗 car cars large red red
🚌 bus buses large blue blue
🚜 tractor tractors large green green
🚚 truck trucks large - -
🚲 bicycle bicycles middle - -
🏍 motorcycle motorcycles large - red
🚂 train trains large - -
🚁 helicopter helicopters large orange yellow
✈ plane planes large - blue
🚀 rocket rockets large - -
⛵ boat boats large - red
🎸 guitar guitars middle pink red
🎺 trumpet trumpets middle yellow yellow
🥁 drum drums middle - -
⚽ ball balls middle - -
🪑 chair chairs middle brown brown
🛏 bed beds large - blue
🛋 sofa sofas large blue blue
🚪 door doors middle brown brown
🔑 key keys small yellow yellow
🔨 hammer hammers small - -
📷 camera cameras middle gray -
💻 laptop laptops middle - -
📱 phone phones small - black
⌚ watch watches small blue -
🕰 clock clocks middle brown brown
📺 television televisions middle - -
💡 bulb bulbs small yellow yellow
🕯 candle candles small - white
🎩 hat hats middle - black
👑 crown crowns small yellow yellow
👟 shoe shoes small purple blue
👢 boot boots middle - -
👗 dress dresses middle blue blue
👕 shirt shirts middle green blue
👜 handbag handbags middle brown brown
🎒 backpack backpacks middle pink red
🧳 suitcase suitcases middle blue blue
☂ umbrella umbrellas middle purple -
🎈 balloon balloons middle - red
🎁 gift gifts middle - -
🪁 kite kites middle - -
📕 book books middle pink red
✏ pencil pencils small - yellow
🔔 bell bells small yellow yellow
🏆 trophy trophies middle yellow yellow
🔭 telescope telescopes middle purple gray
🔬 microscope microscopes middle - blue
🪣 bucket buckets middle blue blue
🧺 basket baskets middle brown brown
☕ cup cups small - white
🫖 teapot teapots middle pink red
🍾 bottle bottles middle green green
🤖 robot robots middle - -
⛄ snowman snowmans middle white white
🏠 house houses large - -
🏰 castle castles large - gray
⛺ tent tents large green orange
⛲ fountain fountains large - -
🌋 volcano volcanos large - -
🌈 rainbow rainbows large - -
☁ cloud clouds large white white
🌙 moon moons middle yellow yellow
⭐ star stars middle yellow yellow
🐚 shell shells small - white
🪴 plant plants middle green green
"""


@dataclass(frozen=True)
class Thing:
    """A thing that can be named.

    Attributes
    ----------
    sign : str
        Its Unicode character.
    name, plural : str
    size : str
        ``"small"``, ``"middle"`` or ``"large"``, beside other things.
    colours : dict of str to str
        Of each artist's drawing; empty where no one word says it.
    """

    sign: str
    name: str
    plural: str
    size: str
    colours: dict[Artist, str]


def _things() -> dict[str, Thing]:
    found = {}
    for line in _TABLE.strip().splitlines():
        sign, name, plural, size, *colours = line.split()
        by_artist = {artist: colour.strip("-") for artist, colour in zip(ARTISTS, colours, strict=True)}
        found[name] = Thing(sign, name, plural, size, by_artist)
    return found


THINGS = _things()
"""Every thing by its name."""

COLOURS = tuple(sorted({colour for thing in THINGS.values() for colour in thing.colours.values()} - {""}))

# One drawing of every tenth thing, of the artists in turn: how well these are named tells what was learned of the
# things, and what only of their drawings.
UNSEEN: dict[str, Artist] = {name: ARTISTS[number % 2] for number, name in enumerate(list(THINGS)[4::10])}
"""By the name of a thing, the artist whose drawing of it no training sees."""
