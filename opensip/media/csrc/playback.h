/* Sound that is played on, a frame each tick; follows opensip/media/playback.py. */
#ifndef OPENSIP_PLAYBACK_H
#define OPENSIP_PLAYBACK_H

#include "concealment.h"
#include "g711.h"
#include "jitter_buffer.h"

struct playback {
    const struct g711 *law;
    struct jitter_buffer buffer;
    struct concealment concealment;
    bool heard; /* whether anything has been played: until then there is only silence */
};

void playback_begin(struct playback *playback, const struct g711 *law);

/* Goes on with a source of other sequence numbers and timestamps; what it said last is kept. */
void playback_change_source(struct playback *playback);

/* Goes on with the other law; what waits is brought to it. */
void playback_change_law(struct playback *playback, const struct g711 *law);

/* Makes the samples of the 20 ms that begin `now`, and tells what they are. */
enum decision playback_tick(struct playback *playback, int16_t samples[JITTER_FRAME], double now);

#endif
