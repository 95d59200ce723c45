/* What the machine does: a CSV of t_s, position_m, force_n, straight lines between its rows.
   SPDX-License-Identifier: MIT (see fwsim.h) */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "fwsim.h"

static struct knot {
    double t_s, position, force; /* in counts */
} *knots;
static size_t n_knots, cursor;

void trajectory_load(const char *path, double metres_per_count, double position_zero_counts, double newtons_per_count,
                     double force_zero_counts)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        fail("%s: cannot be opened", path);
    }
    char line[256];
    size_t room = 0, row = 0;
    while (fgets(line, sizeof line, file)) {
        struct knot knot;
        row++;
        if (sscanf(line, "%lf ,%lf ,%lf", &knot.t_s, &knot.position, &knot.force) != 3) {
            if (row == 1) {
                continue; /* the header */
            }
            fail("%s:%zu: not three numbers: %s", path, row, line);
        }
        if (n_knots && knot.t_s <= knots[n_knots - 1].t_s) {
            fail("%s:%zu: time does not go forward", path, row);
        }
        if (n_knots == room) {
            room = room ? 2 * room : 4096;
            knots = realloc(knots, room * sizeof *knots);
            if (!knots) {
                fail("%s: too long for this computer's memory", path);
            }
        }
        knot.position = knot.position / metres_per_count + position_zero_counts;
        knot.force = knot.force / newtons_per_count + force_zero_counts;
        knots[n_knots++] = knot;
    }
    fclose(file);
    if (!n_knots) {
        fail("%s: no row", path);
    }
}

/* The segment that t lies in; time mostly goes forward, so the search starts where it ended. */
static const struct knot *segment(double t_s)
{
    if (knots[cursor].t_s > t_s) {
        cursor = 0;
    }
    while (cursor + 1 < n_knots && knots[cursor + 1].t_s <= t_s) {
        cursor++;
    }
    return &knots[cursor];
}

static bool is_last(const struct knot *knot)
{
    return knot == knots + n_knots - 1;
}

static double share(const struct knot *knot, double t_s)
{
    return t_s <= knot->t_s || is_last(knot) ? 0 : (t_s - knot->t_s) / (knot[1].t_s - knot->t_s);
}

double trajectory_position_counts(double t_s)
{
    if (!n_knots) {
        return 0;
    }
    const struct knot *at = segment(t_s);
    double u = share(at, t_s);
    return u ? at->position + u * (at[1].position - at->position) : at->position;
}

double trajectory_force_counts(double t_s)
{
    if (!n_knots) {
        return 0;
    }
    const struct knot *at = segment(t_s);
    double u = share(at, t_s);
    return u ? at->force + u * (at[1].force - at->force) : at->force;
}

double trajectory_next_crossing_s(double t_s, long counts)
{
    if (!n_knots) {
        return INFINITY;
    }
    const struct knot *at = segment(t_s);
    if (is_last(at)) {
        return INFINITY;
    }
    if (t_s < at->t_s) {
        return at->t_s;
    }
    double end_s = at[1].t_s;
    double slope = (at[1].position - at->position) / (end_s - at->t_s);
    double crossing_s = end_s;
    if (slope > 0) {
        crossing_s = at->t_s + ((double)counts + 1 - at->position) / slope;
    } else if (slope < 0) {
        crossing_s = at->t_s + ((double)counts - at->position) / slope;
    }
    return crossing_s < end_s ? crossing_s : end_s;
}
