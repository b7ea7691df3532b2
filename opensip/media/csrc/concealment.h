/* What is heard in the place of lost sound; follows opensip/audio/concealment.py. */
#ifndef OPENSIP_CONCEALMENT_H
#define OPENSIP_CONCEALMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SHORTEST_PERIOD = 32, /* samples: 250 Hz */
    LONGEST_PERIOD = 160, /* 50 Hz */
    CONCEALMENT_HISTORY = 2 * LONGEST_PERIOD,
};

struct concealment {
    int16_t history[CONCEALMENT_HISTORY]; /* what was heard last */
    bool steady;                          /* whether a period is repeated */
    double period[LONGEST_PERIOD];        /* what is repeated */
    int size;                             /* of the period */
    double jump;                          /* from it to what was heard last */
    double fall;                          /* of what is repeated, each sample */
    double fallen;                        /* what is left of it by now */
    long lost;                            /* samples since the last that came */
    double noise;                         /* of the background, root mean square */
    double loudest;                       /* that it may be */
    long pause;                           /* samples until it is heard */
    uint32_t dice;
};

void concealment_begin(struct concealment *concealment);

/* Takes a frame that came; after a loss its beginning is blended with what stood for it. */
void concealment_hear(struct concealment *concealment, int16_t *samples, size_t count);

/* Takes the root mean square of the background from the peer, which knows it. */
void concealment_set_noise(struct concealment *concealment, double level);

/* Makes a frame that did not come. */
void concealment_make(struct concealment *concealment, int16_t *samples, size_t count);

#endif
