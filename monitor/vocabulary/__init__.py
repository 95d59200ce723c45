"""ONE table of every kind of event: its name, its meaning, whether it is the lifter's fault, its cue, what helps.

    table       the table
    rows        what a row of it is
    cues        the cues, the most important first
    leaks       the causes of leak
    lookup      the row of an event, and which events are faults
    page_copy   the same as JavaScript

`python -m monitor.vocabulary` writes the page's copy; a test holds the two equal.
"""
