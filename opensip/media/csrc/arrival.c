#include "arrival.h"

#include <math.h>

enum { MAX_DROPOUT = 3000, MAX_MISORDER = 100 }; /* packets, appendix A.1 */

static const double DISCONTINUITY = 0.5; /* seconds off: the sender began to count anew, or slept */
static const double EXACT = 0.001; /* seconds by which a packet may be late and still is in time */
static const double LASTING = 4.0; /* seconds in which all are late before it is the truth */
static const double FAR = 0.1;     /* seconds; what is later may miss its place in a recording, */
static const double SOON = 1.0;    /* so it is taken sooner */
static const double WRAP = 4294967296.0;

void arrivals_begin(struct arrivals *arrivals, unsigned rate)
{
    *arrivals = (struct arrivals){.after_jump = -1, .rate = rate};
}

void arrivals_change_clock(struct arrivals *arrivals, unsigned rate)
{
    arrivals->rate = rate;
    arrivals->has_transit = false;
    arrivals->jitter = 0;
}

static void begin_at(struct arrivals *arrivals, uint16_t sequence)
{
    arrivals->first = arrivals->highest = sequence;
    arrivals->received = 0;
    arrivals->after_jump = -1;
    arrivals->has_transit = false;
}

/* Section 6.4.1: the mean deviation of the transit time, smoothed by 1/16. */
static void measure_jitter(struct arrivals *arrivals, uint32_t timestamp, double now)
{
    double transit = now * arrivals->rate - timestamp;
    if (arrivals->has_transit) {
        double difference = fmod(fabs(transit - arrivals->transit), WRAP);
        difference = fmin(difference, WRAP - difference); /* the timestamp wraps */
        arrivals->jitter += (difference - arrivals->jitter) / 16;
    }
    arrivals->has_transit = true;
    arrivals->transit = transit;
}

void arrivals_note(struct arrivals *arrivals, uint16_t sequence, uint32_t timestamp, double now,
                   bool timed)
{
    if (!arrivals->received) {
        begin_at(arrivals, sequence);
    } else {
        uint16_t step = (uint16_t)(sequence - arrivals->highest);
        if (step < MAX_DROPOUT) {
            arrivals->highest += step;
        } else if (step <= 0x10000 - MAX_MISORDER) {
            if (sequence != arrivals->after_jump) { /* one stray is not a new beginning */
                arrivals->after_jump = (uint16_t)(sequence + 1);
                return;
            }
            begin_at(arrivals, sequence);
        }
    }
    arrivals->received++;
    if (timed)
        measure_jitter(arrivals, timestamp, now);
}

/* Gives the seconds by which the path is longer, mostly 0. */
static double take_delay(const struct media_clock *clock, struct delay *delay, double late,
                         double tolerance, double lasting)
{
    if (late <= tolerance) {
        delay->is_late = false;
        return 0;
    }
    if (!delay->is_late)
        delay->since = clock->position;
    delay->is_late = true;
    double passed = (double)(clock->position - delay->since) / clock->rate;
    delay->least = passed < lasting / 2 ? late : fmin(delay->least, late);
    if (passed < lasting)
        return 0;
    delay->is_late = false;
    return delay->least;
}

void media_clock_begin(struct media_clock *clock, unsigned rate)
{
    *clock = (struct media_clock){.rate = rate};
}

double media_clock_time(struct media_clock *clock, uint32_t timestamp, double now)
{
    if (!clock->started) {
        clock->started = true;
        clock->last = timestamp;
        clock->offset = now;
        return now;
    }
    clock->position += (int32_t)(timestamp - clock->last);
    clock->last = timestamp;
    double offset = now - (double)clock->position / clock->rate;
    double late = offset - clock->offset;
    if (late < 0 || late > DISCONTINUITY) {
        clock->offset = offset;
        late = 0;
    }
    double taken = take_delay(clock, &clock->near, late, EXACT, LASTING);
    taken += take_delay(clock, &clock->far, late - taken, FAR, SOON);
    clock->offset += taken;
    return clock->offset + (double)clock->position / clock->rate;
}

double media_clock_place(const struct media_clock *clock, uint32_t timestamp)
{
    int64_t position = clock->position + (int32_t)(timestamp - clock->last);
    return clock->offset + (double)position / clock->rate;
}
