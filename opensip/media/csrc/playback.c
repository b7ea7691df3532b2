#include "playback.h"

#include <string.h>

void playback_begin(struct playback *playback, const struct g711 *law)
{
    playback->law = law;
    playback->heard = false;
    jitter_buffer_begin(&playback->buffer);
    concealment_begin(&playback->concealment);
}

void playback_change_source(struct playback *playback)
{
    jitter_buffer_forget(&playback->buffer);
}

void playback_change_law(struct playback *playback, const struct g711 *law)
{
    int16_t samples[JITTER_BLOCK];
    for (int n = 0; n < playback->buffer.count; n++) {
        uint8_t *payload = playback->buffer.blocks[n].payload;
        g711_decode(playback->law, payload, JITTER_BLOCK, samples);
        g711_encode(law, samples, JITTER_BLOCK, payload);
    }
    playback->law = law;
}

enum decision playback_tick(struct playback *playback, int16_t samples[JITTER_FRAME], double now)
{
    uint8_t payload[JITTER_FRAME];
    enum decision decision = jitter_buffer_tick(&playback->buffer, payload, now);
    if (decision == DECISION_PLAY) {
        playback->heard = true;
        g711_decode(playback->law, payload, JITTER_FRAME, samples);
        concealment_hear(&playback->concealment, samples, JITTER_FRAME);
    } else if (playback->heard) {
        concealment_make(&playback->concealment, samples, JITTER_FRAME);
    } else {
        memset(samples, 0, JITTER_FRAME * sizeof *samples);
    }
    return decision;
}
