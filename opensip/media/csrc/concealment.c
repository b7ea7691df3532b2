#include "concealment.h"

#include <math.h>
#include <string.h>

enum {
    BLEND = 32,       /* samples in which the true sound takes over again */
    HOLD = 80,        /* samples before the repeated sound begins to fade */
    FADE = 400,       /* samples until it has gone */
    FALL = 4,         /* power by which sound that fell in the last 20 ms falls on, each 20 ms */
};

static const double SHARE = 0.8; /* of the sound that is repeated: less is minded less than more */
static const double JUMP = 0.88; /* of the step to the repeated sound is left each sample: no click */
static const double LOUDEST_NOISE = 100.0; /* -50 dB of full scale */
static const double LOUDEST_TOLD = 327.68; /* by the peer itself: -40 dB */
static const double QUIETEST_NOISE = 4.0;
static const double RISE = 1.02; /* by which the background may become louder, a frame */

void concealment_begin(struct concealment *concealment)
{
    memset(concealment, 0, sizeof *concealment);
    concealment->noise = QUIETEST_NOISE;
    concealment->loudest = LOUDEST_NOISE;
    concealment->dice = 1;
}

static void remember(struct concealment *concealment, const int16_t *samples, size_t count)
{
    int16_t *history = concealment->history;
    if (count >= CONCEALMENT_HISTORY) {
        memcpy(history, samples + count - CONCEALMENT_HISTORY, sizeof concealment->history);
        return;
    }
    memmove(history, history + count, (CONCEALMENT_HISTORY - count) * sizeof *history);
    memcpy(history + CONCEALMENT_HISTORY - count, samples, count * sizeof *history);
}

/* The lag at which the last sound is most like itself. */
static int find_period(const int16_t *end)
{
    const int16_t *last = end - LONGEST_PERIOD;
    int best = LONGEST_PERIOD;
    double most = 0;
    for (int lag = SHORTEST_PERIOD; lag <= LONGEST_PERIOD; lag++) {
        int64_t product = 0, energy = 0;
        for (int n = 0; n < LONGEST_PERIOD; n++) {
            int32_t before = last[n - lag];
            product += last[n] * before;
            energy += before * before;
        }
        double likeness = product > 0 ? (double)product * (double)product / ((double)energy + 1) : 0;
        if (likeness > most) {
            most = likeness;
            best = lag;
        }
    }
    return best;
}

/* One period, whose end flows into its beginning. */
static void cut_period(struct concealment *concealment)
{
    const int16_t *end = concealment->history + CONCEALMENT_HISTORY;
    int size = find_period(end), seam = size / 4;
    for (int n = 0; n < size; n++)
        concealment->period[n] = end[n - size];
    for (int n = 0; n < seam; n++) {
        double share = (n + 1.0) / (seam + 1.0), before = end[n - seam - size];
        double *sample = &concealment->period[size - seam + n];
        *sample += (before - *sample) * share;
    }
    concealment->size = size;
    concealment->jump = end[-1] - SHARE * end[-size - 1];
}

static double power_of(const int16_t *samples, int count)
{
    double power = 1;
    for (int n = 0; n < count; n++)
        power += (double)samples[n] * samples[n];
    return power;
}

/* Where a word ends, sound that stays as loud is worse than silence. */
static void begin_fall(struct concealment *concealment)
{
    const int16_t *history = concealment->history;
    double last = power_of(history + CONCEALMENT_HISTORY / 2, CONCEALMENT_HISTORY / 2);
    double share = last / power_of(history, CONCEALMENT_HISTORY / 2);
    concealment->fall = share < 1 ? pow(share, (double)FALL / CONCEALMENT_HISTORY) : 1;
    concealment->fallen = 1;
}

/* Noise of uniform distribution: its root mean square is its peak over the root of three. */
static double roll(struct concealment *concealment)
{
    concealment->dice = concealment->dice * 1664525u + 1013904223u;
    double even = (double)concealment->dice / 2147483648.0 - 1;
    return even * concealment->noise * 1.7320508075688772;
}

static double next_sample(struct concealment *concealment)
{
    long lost = concealment->lost++;
    double gain = lost < HOLD ? 1 : 1 - (double)(lost - HOLD) / FADE;
    if (gain <= 0)
        return roll(concealment);
    double repeated = SHARE * concealment->period[lost % concealment->size] + concealment->jump;
    gain *= concealment->fallen;
    concealment->fallen *= concealment->fall;
    concealment->jump *= JUMP;
    return gain * repeated + (1 - gain) * roll(concealment);
}

static int16_t rounded(double sample)
{
    return (int16_t)lrint(fmin(fmax(sample, -32768), 32767));
}

/* The background is the quietest of late; a voice raises it but slowly. */
static void measure_noise(struct concealment *concealment, const int16_t *samples, size_t count)
{
    double power = 0;
    for (size_t n = 0; n < count; n++)
        power += (double)samples[n] * samples[n];
    double level = sqrt(power / (double)(count ? count : 1));
    double noise = fmin(level, concealment->noise * RISE);
    concealment->noise = fmin(fmax(noise, QUIETEST_NOISE), concealment->loudest);
}

void concealment_hear(struct concealment *concealment, int16_t *samples, size_t count)
{
    measure_noise(concealment, samples, count);
    if (concealment->lost) {
        for (size_t n = 0; n < BLEND && n < count; n++) {
            double share = (n + 1.0) / (BLEND + 1.0), stand_in = next_sample(concealment);
            samples[n] = rounded(stand_in + (samples[n] - stand_in) * share);
        }
        concealment->lost = 0;
    }
    remember(concealment, samples, count);
}

void concealment_set_noise(struct concealment *concealment, double level)
{
    concealment->noise = fmin(fmax(level, QUIETEST_NOISE), LOUDEST_TOLD);
    concealment->loudest = fmax(concealment->noise, LOUDEST_NOISE); /* older sound may wait */
}

void concealment_make(struct concealment *concealment, int16_t *samples, size_t count)
{
    if (!concealment->lost) {
        cut_period(concealment);
        begin_fall(concealment);
    }
    for (size_t n = 0; n < count; n++)
        samples[n] = rounded(next_sample(concealment));
    remember(concealment, samples, count);
}
