/* What the machine does: a CSV of t_s, position_m, force_n, straight lines between its rows.

   It is read as far as it is needed and forgotten behind, so that it may be a pipe and never end. Where the writer is
   late the world waits for it.
   SPDX-License-Identifier: MIT (see fwsim.h) */
#include <math.h>
#include <stdio.h>

#include "fwsim.h"

enum { KNOTS = 256 }; /* kept: what is asked for goes back and forth by microseconds, a row is a millisecond or more */

static struct knot {
    double t_s, position, force; /* in counts */
} knots[KNOTS];
static size_t n_knots; /* read so far; knot k stands at k % KNOTS */
static size_t cursor;  /* the segment of the last question */
static bool ended = true;
static FILE *file;
static const char *name;
static size_t row;
static struct trajectory_scale scale;

static struct knot *knot(size_t k)
{
    return &knots[k % KNOTS];
}

static void read_knot(void)
{
    char line[256];
    double t_s, position_m, force_n;
    do {
        if (!fgets(line, sizeof line, file)) {
            ended = true;
            fclose(file);
            return;
        }
        row++;
    } while (row == 1 && sscanf(line, "%lf", &t_s) != 1); /* the header */
    if (sscanf(line, "%lf ,%lf ,%lf", &t_s, &position_m, &force_n) != 3) {
        fail("%s:%zu: not three numbers: %s", name, row, line);
    }
    if (n_knots && t_s <= knot(n_knots - 1)->t_s) {
        fail("%s:%zu: time does not go forward", name, row);
    }
    *knot(n_knots++) = (struct knot){ t_s, position_m / scale.metres_per_count + scale.position_zero_counts,
                                      force_n / scale.newtons_per_count + scale.force_zero_counts };
}

void trajectory_load(const char *path, struct trajectory_scale with)
{
    file = fopen(path, "r");
    if (!file) {
        fail("%s: cannot be opened", path);
    }
    name = path;
    scale = with;
    ended = false;
    read_knot();
    if (!n_knots) {
        fail("%s: no row", path);
    }
}

/* Find the segment that t lies in, its end with it unless there is none. */
static void seek(double t_s)
{
    while (!ended && knot(n_knots - 1)->t_s <= t_s) {
        read_knot();
    }
    while (cursor + 1 < n_knots && knot(cursor + 1)->t_s <= t_s) {
        cursor++;
    }
    while (cursor && cursor + KNOTS > n_knots && knot(cursor)->t_s > t_s) {
        cursor--;
    }
}

/* How far t is into its segment, 0 to 1; 0 before the first row and behind the last. */
static double share(double t_s)
{
    seek(t_s);
    const struct knot *from = knot(cursor);
    if (t_s <= from->t_s || cursor + 1 == n_knots) {
        return 0;
    }
    return (t_s - from->t_s) / (knot(cursor + 1)->t_s - from->t_s);
}

double trajectory_position_counts(double t_s)
{
    double u = n_knots ? share(t_s) : 0;
    double from = n_knots ? knot(cursor)->position : 0;
    return u ? from + u * (knot(cursor + 1)->position - from) : from;
}

double trajectory_force_counts(double t_s)
{
    double u = n_knots ? share(t_s) : 0;
    double from = n_knots ? knot(cursor)->force : 0;
    return u ? from + u * (knot(cursor + 1)->force - from) : from;
}

double trajectory_next_crossing_s(double t_s, long counts)
{
    if (!n_knots) {
        return INFINITY;
    }
    seek(t_s);
    const struct knot *from = knot(cursor);
    if (t_s < from->t_s) {
        return from->t_s;
    }
    if (cursor + 1 == n_knots) {
        return INFINITY;
    }
    const struct knot *to = knot(cursor + 1);
    double slope = (to->position - from->position) / (to->t_s - from->t_s);
    double crossing_s = to->t_s;
    if (slope > 0) {
        crossing_s = from->t_s + ((double)counts + 1 - from->position) / slope;
    } else if (slope < 0) {
        crossing_s = from->t_s + ((double)counts - from->position) / slope;
    }
    return crossing_s < to->t_s ? crossing_s : to->t_s;
}
