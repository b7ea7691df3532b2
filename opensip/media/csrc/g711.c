#include "g711.h"

#include <stdlib.h>
#include <string.h>

struct g711 PCMU, PCMA;

enum {
    BIAS = 0x84,          /* 33 in 14 bits: shifts every segment to a power of two */
    NEGATIVE_ZERO = 0x7F, /* of the mu-law */
};

/* G.711 table 2, scaled to 16 bits; all bits are inverted on the wire. */
static int16_t decode_mu(int wire)
{
    int code = ~wire & 0xFF;
    int magnitude = ((((code & 0x0F) << 3) + BIAS) << (code >> 4 & 7)) - BIAS;
    return (int16_t)(code & 0x80 ? -magnitude : magnitude);
}

/* G.711 table 1, scaled to 16 bits; even bits are inverted on the wire. */
static int16_t decode_a(int wire)
{
    int code = wire ^ 0x55;
    int segment = code >> 4 & 7, step = (code & 0x0F) << 4;
    int magnitude = segment ? (step + 0x108) << (segment - 1) : step + 8;
    return (int16_t)(code & 0x80 ? magnitude : -magnitude);
}

static const struct g711 *sorting;

static int by_sample(const void *one, const void *two)
{
    int a = *(const uint8_t *)one, b = *(const uint8_t *)two;
    int difference = sorting->decoded[a] - sorting->decoded[b];
    return difference ? difference : a - b;
}

/* Each sample becomes the nearest code; midway between two the louder, and 0 the positive zero. */
static void tabulate(struct g711 *law)
{
    uint8_t order[256];
    for (int code = 0; code < 256; code++)
        order[code] = (uint8_t)code;
    sorting = law;
    qsort(order, sizeof order, 1, by_sample);
    int at = 0;
    for (int sample = -32768; sample < 32768; sample++) {
        while (at < 255) {
            /* rounded down, as the shift of a negative sum is */
            int midway = (law->decoded[order[at]] + law->decoded[order[at + 1]]) >> 1;
            if (sample < 0 ? midway >= sample : midway > sample)
                break;
            at++;
        }
        law->encoded[(uint16_t)sample] = order[at];
    }
}

void g711_prepare(void)
{
    for (int wire = 0; wire < 256; wire++) {
        PCMU.decoded[wire] = decode_mu(wire);
        PCMA.decoded[wire] = decode_a(wire);
    }
    PCMU.decoded[NEGATIVE_ZERO] = -1; /* so that every code survives an echo or a bridge */
    PCMU.silence = 0xFF;
    PCMA.silence = 0xD5;
    tabulate(&PCMU);
    tabulate(&PCMA);
}

int64_t g711_decode(const struct g711 *law, const uint8_t *codes, size_t size, int16_t *samples)
{
    int64_t power = 0;
    for (size_t n = 0; n < size; n++) {
        int32_t sample = law->decoded[codes[n]];
        samples[n] = (int16_t)sample;
        power += sample * sample;
    }
    return power;
}

void g711_encode(const struct g711 *law, const int16_t *samples, size_t size, uint8_t *codes)
{
    for (size_t n = 0; n < size; n++)
        codes[n] = law->encoded[(uint16_t)samples[n]];
}
