#include "concealment.h"

#include <math.h>
#include <string.h>

#include "power.h"

enum {
    BLEND = 32,       /* samples in which the true sound takes over again */
    BLEND_UNLIKE = 8, /* the same, where it is not what was expected */
    HOLD = 80,        /* samples before the repeated sound begins to fade */
    FADE = 400,       /* samples until it has gone */
    FALL_PERIOD = 3,  /* each period is less than the last by this power of how that one was */
    FALL_LEVEL = 4,   /* and falls on as its last 20 ms did, by this power, each 40 ms */
    PAUSE = 320,      /* samples until the background is heard, unless the peer told how loud it is */
    SWELL = 160,      /* and until it is as loud as it was */
};

static const double SHARE = 0.8; /* of the sound that is repeated: less is minded less than more */
static const double JUMP = 0.88; /* of the step to the repeated sound is left each sample: no click */
static const double STEADY = 0.8; /* correlation with the period before, of a steady voice */
static const double QUIETEST_VOICE = 316227.76601683795; /* its mean square: -35 dB of full scale */
static const double ALIKE = 0.5; /* correlation of what came with what was expected */
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
    concealment->pause = PAUSE;
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
static void cut_period(struct concealment *concealment, int size)
{
    const int16_t *end = concealment->history + CONCEALMENT_HISTORY;
    int seam = size / 4;
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

/* Never 0: others are divided by it. */
static double some_power(const int16_t *samples, size_t count)
{
    return 1 + power_of(samples, count);
}

/* The power of the last half over that of the first; at most 1, as no voice is to grow. */
static double falling(const int16_t *history)
{
    double earlier = some_power(history, CONCEALMENT_HISTORY / 2);
    double last = some_power(history + CONCEALMENT_HISTORY / 2, CONCEALMENT_HISTORY / 2);
    return fmin(1, last / earlier);
}

/* Chooses what is repeated: a wrong guess is worse than silence. */
static void begin_loss(struct concealment *concealment)
{
    const int16_t *end = concealment->history + CONCEALMENT_HISTORY;
    const int16_t *last = end - LONGEST_PERIOD;
    int size = find_period(end);
    double product = 0, before = some_power(last - size, LONGEST_PERIOD);
    for (int n = 0; n < LONGEST_PERIOD; n++)
        product += (double)last[n] * last[n - size];
    double power = some_power(last, LONGEST_PERIOD);
    double likeness = product / sqrt(power * before);
    concealment->steady = likeness >= STEADY && power > QUIETEST_VOICE * LONGEST_PERIOD + 1;
    if (!concealment->steady)
        return;
    cut_period(concealment, size);
    concealment->fall = pow(fmin(1, product / before), (double)FALL_PERIOD / size) *
                        pow(falling(concealment->history), (double)FALL_LEVEL / CONCEALMENT_HISTORY);
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
    double since = (double)(lost - concealment->pause) / SWELL;
    double noise = since > 0 ? fmin(since, 1) * roll(concealment) : 0;
    if (!concealment->steady || lost >= HOLD + FADE)
        return noise;
    double repeated = SHARE * concealment->period[lost % concealment->size] + concealment->jump;
    double gain = fmin(1, 1 - (double)(lost - HOLD) / FADE) * concealment->fallen;
    concealment->fallen *= concealment->fall;
    concealment->jump *= JUMP;
    return gain * repeated + noise;
}

static int16_t rounded(double sample)
{
    return (int16_t)lrint(fmin(fmax(sample, -32768), 32767));
}

/* The background is the quietest of late; a voice raises it but slowly. */
static void measure_noise(struct concealment *concealment, const int16_t *samples, size_t count)
{
    double level = sqrt(power_of(samples, count) / (double)(count ? count : 1));
    double noise = fmin(level, concealment->noise * RISE);
    concealment->noise = fmin(fmax(noise, QUIETEST_NOISE), concealment->loudest);
}

/* The true sound takes over; its beginning is not to be lost where it is not what was expected. */
static void blend(struct concealment *concealment, int16_t *samples, size_t count)
{
    double stand_in[BLEND], product = 0, one = 1, other = 1;
    size_t length = count < BLEND ? count : BLEND;
    for (size_t n = 0; n < length; n++) {
        stand_in[n] = next_sample(concealment);
        product += stand_in[n] * samples[n];
        one += stand_in[n] * stand_in[n];
        other += (double)samples[n] * samples[n];
    }
    if (product < ALIKE * sqrt(one * other) && length > BLEND_UNLIKE)
        length = BLEND_UNLIKE;
    for (size_t n = 0; n < length; n++) {
        double share = ((double)n + 1) / ((double)length + 1);
        samples[n] = rounded(stand_in[n] + (samples[n] - stand_in[n]) * share);
    }
}

void concealment_hear(struct concealment *concealment, int16_t *samples, size_t count)
{
    measure_noise(concealment, samples, count);
    if (concealment->lost && concealment->steady)
        blend(concealment, samples, count);
    concealment->lost = 0;
    remember(concealment, samples, count);
}

void concealment_set_noise(struct concealment *concealment, double level)
{
    concealment->noise = fmin(fmax(level, QUIETEST_NOISE), LOUDEST_TOLD);
    concealment->loudest = fmax(concealment->noise, LOUDEST_NOISE); /* older sound may wait */
    concealment->pause = 0;
}

void concealment_make(struct concealment *concealment, int16_t *samples, size_t count)
{
    if (!concealment->lost)
        begin_loss(concealment);
    for (size_t n = 0; n < count; n++)
        samples[n] = rounded(next_sample(concealment));
    remember(concealment, samples, count);
}
