"""The rows of what is not the lifter's: other people's forces, the machine's load, and its sensors."""

from monitor.vocabulary.rows import Row, Words

NOT_BELIEVED = "The sensors cannot be believed here, so nothing is judged."


def _sensor(cause: str, name: Words) -> Row:
    key, when = f"sensor_fault.{cause}", {"cause": cause}
    return Row(key, tone="blind", lane="sensors", icon="fault", name=name, why=NOT_BELIEVED, when=when, rank=1)


NOT_THE_LIFTERS = (
    Row(
        "load_change",
        tone="plain",
        lane="sets",
        icon="ready",
        name=Words("Another load", "Andere Last"),
        why="The pin selects another load than before. It is not a fault.",
    ),
    Row(
        "load_step",
        tone="plain",
        lane="sets",
        icon="ready",
        name=Words("Another load on the way down", "Andere Last beim Senken"),
        why="The machine itself adds to the load on the way down, or takes from it. It is not a fault.",
    ),
    Row(
        "assist.lighter",
        tone="plain",
        lane="less",
        icon="low",
        name=Words("Somebody lifts", "Jemand hebt mit"),
        why="The cable carried less than the load, and the stack did not fall: somebody else held a part of it. It is "
        "no fault of the lifter.",
        when={"side": "lighter"},
        rank=2,
    ),
    Row(
        "assist",
        tone="plain",
        lane="more",
        icon="high",
        name=Words("Somebody presses", "Jemand drückt nach"),
        why="The cable carried more than the load, and the stack did not rise: somebody else pushed it down. It is no "
        "fault of the lifter.",
        rank=2,
    ),
    _sensor("gap", Words("Samples are missing", "Messwerte fehlen")),
    _sensor("restart", Words("The sensor box restarted", "Die Sensorbox startete neu")),
    _sensor("encoder_jump", Words("The position jumped", "Der Weg sprang")),
    _sensor("encoder_slip", Words("The encoder slips", "Der Wegsensor rutscht")),
    _sensor("flagged", Words("The load cell reports a fault", "Die Kraftmessdose meldet einen Fehler")),
    _sensor("frozen", Words("The load cell is frozen", "Die Kraftmessdose ist eingefroren")),
    _sensor("saturated", Words("The load cell is at its limit", "Die Kraftmessdose ist am Anschlag")),
    _sensor("spike", Words("The load cell shows spikes", "Die Kraftmessdose zeigt Spitzen")),
    _sensor("mismatch", Words("Force and movement disagree", "Kraft und Bewegung widersprechen sich")),
    _sensor("load", Words("The load does not fit the pin", "Die Last passt nicht zum Steckbolzen")),
    Row(
        "sensor_fault",
        tone="blind",
        lane="sensors",
        icon="fault",
        name=Words("Sensor fault", "Sensorfehler"),
        why=NOT_BELIEVED,
        rank=1,
    ),
)
