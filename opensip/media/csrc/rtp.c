#include "rtp.h"

enum {
    VERSION_2 = 0x80,
    PADDED = 0x20,
    EXTENDED = 0x10,
    CSRC_COUNT = 0x0F,
    MARKER = 0x80,
};

size_t rtp_header_size(const uint8_t *data, size_t size)
{
    if (size < RTP_HEADER)
        return 0;
    size_t end = RTP_HEADER + 4u * (data[0] & CSRC_COUNT);
    if (end > size)
        return 0;
    if (data[0] & EXTENDED) {
        if (end + 4 > size)
            return 0;
        end += 4 + 4u * read16(data + end + 2);
    }
    return end > size ? 0 : end;
}

bool rtp_parse(struct rtp *packet, const uint8_t *data, size_t size)
{
    size_t start = rtp_header_size(data, size);
    if (start == 0 || data[0] >> 6 != 2)
        return false;
    size_t end = size;
    if (data[0] & PADDED) {
        uint8_t padding = data[size - 1]; /* counts itself, so 0 is a lie (section 5.1) */
        if (padding == 0 || start + padding > size)
            return false;
        end -= padding;
    }
    packet->payload_type = data[1] & 0x7F;
    packet->marker = data[1] & MARKER;
    packet->sequence = read16(data + 2);
    packet->timestamp = read32(data + 4);
    packet->ssrc = read32(data + 8);
    packet->payload = data + start;
    packet->size = end - start;
    return true;
}

void rtp_write_header(uint8_t *at, const struct rtp *packet)
{
    at[0] = VERSION_2;
    at[1] = (uint8_t)(packet->payload_type | (packet->marker ? MARKER : 0));
    write16(at + 2, packet->sequence);
    write32(at + 4, packet->timestamp);
    write32(at + 8, packet->ssrc);
}

bool rtp_is_rtcp(const uint8_t *data, size_t size)
{
    return size >= 8 && data[0] >> 6 == 2 && data[1] >= 192 && data[1] <= 223;
}
