"""Pure RTP: packets, payload formats, RTCP, statistics, jitter buffer, SRTP, telephone events."""
