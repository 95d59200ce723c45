"""What the causes of leak are called, and what is said of a set without a leak."""

from monitor.vocabulary.rows import Words

LEAKS = {  # the fields of `Leak` that are the lifter's
    "lockout_s": Words("At the top", "Oben"),
    "bottom_s": Words("At the bottom", "Unten"),
    "unload_s": Words("Unloaded", "Entlastet"),
    "low_tension_s": Words("Low tension", "Zu wenig Spannung"),
    "high_tension_s": Words("High tension", "Zu viel Spannung"),
}

CLEAN = Words("Clean. Keep this quality, then add a little load.", "Sauber. So bleiben, dann etwas mehr Last.")
CLEAN_SO_FAR = Words(
    "Clean, as far as it was judged: the load was not known from the start.",
    "Sauber, soweit bewertet: die Last war nicht von Anfang an bekannt.",
)
