"""Pure sound on numpy: frames, codecs, resampling, levels and tones."""
