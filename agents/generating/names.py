"""What is this company called? Names in the manner of Chinese and Western firms, made from parts; any likeness is chance."""

from random import Random

_PLACES = ("江海", "云岭", "北辰", "南岳", "东湖", "西川", "青岩", "松江", "临港", "岭南", "滨河", "天目")
_STEMS = ("云翔", "恒泰", "瑞丰", "华晟", "中科锐", "博远", "金穗", "启明", "联创", "德信", "鼎新", "海纳", "智联", "宏图", "安和", "万象")
_TRADES = ("精密制造", "智能装备", "信息技术", "医疗器械", "新能源", "物流", "食品", "电子", "化工", "软件", "纺织", "仪器")
_FORMS = ("集团", "股份有限公司", "有限公司", "科技有限公司")

_FOUNDERS = ("Harlow", "Brandt", "Okafor", "Lindqvist", "Moreau", "Castell", "Whitby", "Novak", "Ferrante", "Aldridge", "Kessler", "Santos")
_LINES = (
    "Robotics",
    "Logistics",
    "Instruments",
    "Foods",
    "Energy",
    "Analytics",
    "Components",
    "Health",
    "Textiles",
    "Marine",
    "Optics",
    "Cloud",
)
_SUFFIXES = ("GmbH", "Ltd", "Inc", "AB", "BV", "SA", "Group", "& Sons")


def company_name(random: Random) -> str:
    """Two in three names are Chinese, as in the engine's home market."""
    if random.random() < 2 / 3:
        place = random.choice(_PLACES) if random.random() < 0.4 else ""
        return place + random.choice(_STEMS) + random.choice(_TRADES) + random.choice(_FORMS)
    return f"{random.choice(_FOUNDERS)} {random.choice(_LINES)} {random.choice(_SUFFIXES)}"
