"""Catalogue of the demonstration shop: 24 interests with five things each, over eight departments.

An interest runs through departments (a book, a tool and a pantry jar can belong together), which is what an
item-to-item model can find and a list of best sellers cannot. Titles are invented.
"""

BOOKS, KITCHEN, GARDEN, HOME = "books", "kitchen", "garden", "home"
OUTDOORS, CRAFTS, PLAY, PANTRY = "outdoors", "crafts", "play", "pantry"

ALCOHOL = "alcohol"
HEALTH = "health"
"""Second categories, for obligations such as "no alcohol for minors" or "no inference about health"."""

INTERESTS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "sourdough": (
        ("Banneton proofing basket", (KITCHEN,)),
        ("Stoneground rye flour, 2 kg", (PANTRY,)),
        ("The Patient Loaf", (BOOKS,)),
        ("Cast-iron bread pan", (KITCHEN,)),
        ("Linen bread bag", (HOME,)),
    ),
    "stovetop": (
        ("Cast-iron skillet", (KITCHEN,)),
        ("Carbon-steel wok", (KITCHEN,)),
        ("Chainmail pan scrubber", (KITCHEN,)),
        ("Weeknights in One Pan", (BOOKS,)),
        ("Smoked sea salt", (PANTRY,)),
    ),
    "coffee": (
        ("Burr hand grinder", (KITCHEN,)),
        ("Pour-over dripper", (KITCHEN,)),
        ("Single-estate coffee beans", (PANTRY,)),
        ("Stoneware espresso cups, set of four", (KITCHEN,)),
        ("A Short History of the Coffeehouse", (BOOKS,)),
    ),
    "tea": (
        ("Cast-iron teapot", (KITCHEN,)),
        ("Second-flush Darjeeling", (PANTRY,)),
        ("Jasmine pearls", (PANTRY,)),
        ("Glazed tea bowls, pair", (HOME,)),
        ("Leaf and Water", (BOOKS,)),
    ),
    "kitchen garden": (
        ("Heirloom tomato seeds", (GARDEN,)),
        ("Larch raised bed", (GARDEN,)),
        ("Copper watering can", (GARDEN,)),
        ("Hazel plant stakes", (GARDEN,)),
        ("A Small Kitchen Garden", (BOOKS,)),
    ),
    "roses": (
        ("Climbing rose, bare root", (GARDEN,)),
        ("Bypass secateurs", (GARDEN,)),
        ("Leather gardening gloves", (GARDEN,)),
        ("Recycled-glass vase", (HOME,)),
        ("A Year Among Roses", (BOOKS,)),
    ),
    "birds": (
        ("Oak nesting box", (GARDEN,)),
        ("Window bird feeder", (GARDEN,)),
        ("Sunflower hearts, 5 kg", (GARDEN,)),
        ("Compact binoculars, 8 x 32", (OUTDOORS,)),
        ("Songbirds Close to Home", (BOOKS,)),
    ),
    "windowsill": (
        ("Terracotta herb pots, set of three", (GARDEN,)),
        ("Basil and thyme seeds", (GARDEN,)),
        ("Windowsill grow light", (HOME,)),
        ("Brass plant mister", (HOME,)),
        ("Herb scissors", (KITCHEN,)),
    ),
    "camping": (
        ("Two-person trail tent", (OUTDOORS,)),
        ("Down sleeping bag", (OUTDOORS,)),
        ("Titanium camp mug", (OUTDOORS,)),
        ("Rechargeable head torch", (OUTDOORS,)),
        ("Sleeping Out", (BOOKS,)),
    ),
    "hill walking": (
        ("Merino hiking socks", (OUTDOORS,)),
        ("Cork-grip trekking poles", (OUTDOORS,)),
        ("Enamelled flask, 750 ml", (OUTDOORS,)),
        ("Oat and fig bars, box of twelve", (PANTRY,)),
        ("Fifty Ridge Walks", (BOOKS,)),
    ),
    "cycling": (
        ("Waxed-canvas handlebar bag", (OUTDOORS,)),
        ("Brass bicycle bell", (OUTDOORS,)),
        ("Puncture repair tin", (OUTDOORS,)),
        ("Reflective rain cape", (OUTDOORS,)),
        ("Slow Roads by Bicycle", (BOOKS,)),
    ),
    "cold water": (
        ("Fleece-lined changing robe", (OUTDOORS,)),
        ("Open-water tow float", (OUTDOORS,)),
        ("Roll-top dry bag, 20 l", (OUTDOORS,)),
        ("Ginger and turmeric cordial", (PANTRY,)),
        ("Cold Water Mornings", (BOOKS,)),
    ),
    "knitting": (
        ("Undyed merino yarn, 100 g", (CRAFTS,)),
        ("Bamboo circular needles", (CRAFTS,)),
        ("Brass stitch markers", (CRAFTS,)),
        ("Lanolin wool wash", (HOME,)),
        ("Twelve Plain Jumpers", (BOOKS,)),
    ),
    "watercolour": (
        ("Watercolour half-pan set", (CRAFTS,)),
        ("Cold-pressed paper block", (CRAFTS,)),
        ("Travel brush roll", (CRAFTS,)),
        ("Folding field easel", (CRAFTS,)),
        ("Painting Weather", (BOOKS,)),
    ),
    "woodcarving": (
        ("Spoon-carving knife", (CRAFTS,)),
        ("Birch carving blanks", (CRAFTS,)),
        ("Leather strop", (CRAFTS,)),
        ("Beeswax wood finish", (CRAFTS,)),
        ("The Kitchen Spoon Carver", (BOOKS,)),
    ),
    "letters": (
        ("Everyday fountain pen", (CRAFTS,)),
        ("Blue-black ink", (CRAFTS,)),
        ("Cotton writing paper", (CRAFTS,)),
        ("Sealing wax, three colours", (CRAFTS,)),
        ("Letters Worth Keeping", (BOOKS,)),
    ),
    "board games": (
        ("Harbour Masters, strategy game", (PLAY,)),
        ("Walnut chess set", (PLAY,)),
        ("Orchard, cooperative game", (PLAY,)),
        ("Linen playing cards", (PLAY,)),
        ("Felt dice tray", (PLAY,)),
    ),
    "puzzles": (
        ("Lighthouse jigsaw, 1000 pieces", (PLAY,)),
        ("Wooden burr puzzle", (PLAY,)),
        ("Roll-up puzzle mat", (PLAY,)),
        ("A Hundred Cryptic Crosswords", (BOOKS, PLAY)),
        ("Reading lamp with clamp", (HOME,)),
    ),
    "strings": (
        ("Mahogany concert ukulele", (PLAY,)),
        ("Spring capo", (PLAY,)),
        ("Clip-on tuner", (PLAY,)),
        ("Folding music stand", (PLAY,)),
        ("Three Chords, Forty Songs", (BOOKS, PLAY)),
    ),
    "records": (
        ("Belt-drive turntable", (PLAY,)),
        ("Carbon-fibre record brush", (PLAY,)),
        ("Birch record crate", (HOME,)),
        ("Anti-static record sleeves", (PLAY,)),
        ("Side Two: Notes on Listening", (BOOKS, PLAY)),
    ),
    "night sky": (
        ("Tabletop reflector telescope", (OUTDOORS,)),
        ("Planisphere for the northern sky", (OUTDOORS,)),
        ("Red-light torch", (OUTDOORS,)),
        ("Moon map, folded", (HOME,)),
        ("The Back-Garden Astronomer", (BOOKS,)),
    ),
    "slow evenings": (
        ("Lambswool throw", (HOME,)),
        ("Beeswax candles, box of six", (HOME,)),
        ("Washed-linen bedding", (HOME,)),
        ("Hot-water bottle with knitted cover", (HOME,)),
        ("The Lamplighter's Daughter", (BOOKS,)),
    ),
    "cheese and wine": (
        ("Olive-wood cheese board", (KITCHEN,)),
        ("Rosemary crackers", (PANTRY,)),
        ("Dry Riesling, 75 cl", (PANTRY, ALCOHOL)),
        ("Orchard cider, case of six", (PANTRY, ALCOHOL)),
        ("Quince paste", (PANTRY,)),
    ),
    "rest": (
        ("Lavender eye pillow", (HOME, HEALTH)),
        ("Cork yoga mat", (HOME,)),
        ("Chamomile and lemon balm infusion", (PANTRY, HEALTH)),
        ("Sleeping Well Again", (BOOKS, HEALTH)),
        ("Living Calmly with Migraine", (BOOKS, HEALTH)),
    ),
}
