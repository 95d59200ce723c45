"""The sentence in every report that says what the sensors cannot see."""

BLIND = (
    "These sensors see the stack and the cable, not the body: whether muscle or bone holds the load at lockout is "
    "inferred from position and stillness; breath, posture and which muscle works are not seen; and a set that ended "
    "without a stall may have ended by failure or by choice."
)
BLIND_STATIC = (
    "This sensor sees a force, not the body: which muscle works, posture and breath are not seen, and a force that "
    "fades may be fatigue or choice."
)
