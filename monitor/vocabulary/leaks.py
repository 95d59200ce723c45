"""The names of the causes of leak, and the sentences for a set without leak."""

from monitor.vocabulary.rows import Words

LEAKS = {  # by field of `Leak`
    "lockout_s": Words("At the top", "Oben"),
    "bottom_s": Words("At the bottom", "Unten"),
    "unload_s": Words("Unloaded", "Entlastet"),
    "low_tension_s": Words("Low tension", "Zu wenig Spannung"),
    "high_tension_s": Words("High tension", "Zu viel Spannung"),
    "speed_s": Words("Too fast", "Zu schnell"),
    "jerk_s": Words("Heaved", "Gerissen"),
    "drop_s": Words("Dropped", "Fallen gelassen"),
    "turnaround_s": Words("Rough turns", "Harte Umkehr"),
}

CLEAN = Words("Clean. Keep this quality, then add a little load.", "Sauber. So bleiben, dann etwas mehr Last.")
CLEAN_SO_FAR = Words(
    "Clean, as far as it was judged: the load was not known from the start.",
    "Sauber, soweit bewertet: die Last war nicht von Anfang an bekannt.",
)
