"""The one table of all kinds of events: name, meaning, whether it is the lifter's fault, cue, remedy.

    table             the table
    table_of_machine  its rows about machine and sensors, not the lifter
    rows              the type of its rows
    cues              the cues, the most important first
    leaks             the causes of leak
    lookup            finds the row of an event, and which events are faults
    page_copy         the tables as JavaScript

`python -m monitor.vocabulary` writes the page's copy; a test fails if the two differ.
"""
