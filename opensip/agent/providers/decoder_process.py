"""A process that recognises: pocketsphinx holds Python's lock while it decodes, so it has its own.

Speaks over its standard streams. A request is one line of JSON {"jsgf", "bytes"} and that many
bytes of 16 kHz audio; the answer is one line {"text", "score", "worst", "coverage", "nearly"}: the
mean acoustic log likelihood of a 10 ms frame in all words and in the worst, and the share of what
was voiced that lies within the words. They say how well the words fit what was heard. "nearly" are
the next best readings, each with the log likelihood that it lacks to the best.
The process ends with its input.
"""

import json
import math
import os
import sys
from itertools import islice
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

# Cepstral means of telephone speech: without them the first second of a call is misheard.
_CMN = "32.8,16.7,-25.4,38.7,-16.2,6.3,3.2,-12.2,2.6,-11.1,7.8,0.0,1.2"
# A telephone cuts off what makes an s: without these, "six" is heard as "eight".
_TELEPHONE = [
    ("six(2)", "HH IH K S"),
    ("six(3)", "S EH K S"),
    ("six(4)", "T IH K S"),
    ("six(5)", "F IH K S"),
    ("yes(2)", "Y EH"),
    ("yes(3)", "Y EH TH"),
]
_NO_FIT = -10.0  # a likelihood too small for a float
_LONGEST_WORD = 130  # frames; a search that has lost its way stretches its last word to the end
_FRAME = 160  # samples: the decoder's frames are 10 ms
_VOICED_SHARE = 0.003  # of the loudest frame's power, 25 dB below: what is softer is no vowel
_NOISE = 4.0  # times the power of the quietest tenth: what is softer may be the line's noise
_SHORTEST_VOWEL = 5  # frames: where less is voiced, nobody spoke
_EDGE = 5  # frames by which words may be placed wrong
_HYPOTHESES = 60  # of the search that are looked at; most differ in their pauses only
_DITHER = 10.0  # of 32768: noise in the band that the telephone left empty


class Decoders:
    """One pocketsphinx decoder and the grammars it has been given."""

    def __init__(self) -> None:
        from pocketsphinx import Config, Decoder, get_model_path  # noqa: PLC0415  an extra

        model, config = get_model_path(), Config()
        config["hmm"] = f"{model}/en-us/en-us"
        config["dict"] = f"{model}/en-us/cmudict-en-us.dict"
        config["lm"] = None
        config["cmninit"] = _CMN
        config["loglevel"] = "FATAL"
        self._decoder = Decoder(config)
        for number, (word, phones) in enumerate(_TELEPHONE, 1):
            self._decoder.add_word(word, phones, number == len(_TELEPHONE))
        self._grammars: dict[str, str] = {}

    def decode(self, jsgf: str, audio: bytes) -> dict[str, Any]:
        """Recognise a whole turn."""
        self._activate(jsgf)
        samples = np.frombuffer(audio, np.int16)
        vowels = voiced(samples)
        # A search for words in two seconds of mere noise takes four, and others wait for it.
        if np.sum(vowels) < _SHORTEST_VOWEL:
            return {"text": "", "score": 0.0, "worst": _NO_FIT, "coverage": 0.0, "nearly": {}}
        noise = np.random.default_rng(1)  # the same turn is always understood the same
        dithered = samples + noise.normal(0, _DITHER, len(samples))
        self._decoder.start_utt()
        pcm = dithered.clip(-32768, 32767).astype(np.int16).tobytes()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        words = [s for s in self._decoder.seg() or () if s.word[0] not in "<[("]
        spans = [(s.start_frame, s.end_frame + 1) for s in words]
        fits = [fit(s.ascore, s.end_frame - s.start_frame + 1) for s in words]
        frames = sum(end - start for start, end in spans)
        return {
            "text": found.hypstr if found else "",
            "score": sum(f * (b - a) for f, (a, b) in zip(fits, spans, strict=True))
            / (frames or 1),
            "worst": min(fits, default=_NO_FIT),
            "coverage": coverage(vowels, spans),
            "nearly": self._nearly(),
        }

    def _nearly(self) -> dict[str, float]:
        scores: dict[str, float] = {}
        for hypothesis in islice(self._decoder.nbest() or (), _HYPOTHESES):
            if hypothesis is None:
                break
            if hypothesis.score > 0.0:
                scores.setdefault(hypothesis.hypstr, hypothesis.score)
        best = max(scores.values(), default=1.0)
        return {text: math.log(best / score) for text, score in scores.items()}

    def _activate(self, jsgf: str) -> None:
        if jsgf not in self._grammars:
            name = f"g{len(self._grammars)}"
            self._decoder.add_jsgf_string(name, jsgf)
            self._grammars[jsgf] = name
        self._decoder.activate_search(self._grammars[jsgf])


def fit(likelihood: float, frames: int) -> float:
    """Tell the mean log likelihood of a frame of a word that lasted so many."""
    if likelihood <= sys.float_info.min or frames > _LONGEST_WORD:
        return _NO_FIT
    return math.log(likelihood) / frames


def coverage(vowels: NDArray[np.bool_], spans: list[tuple[int, int]]) -> float:
    """Tell which share of the voiced 10 ms frames lies within the words' spans of frames."""
    within = np.zeros(len(vowels), bool)
    for start, end in spans:
        within[max(0, start - _EDGE) : end + _EDGE] = True
    return float(np.sum(vowels & within)) / max(int(np.sum(vowels)), 1)


def voiced(samples: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Tell of each 10 ms frame whether it may be part of a vowel; of an even noise none is."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
    power = np.mean(frames**2, axis=1)
    noise = np.quantile(power, 0.1) if len(power) else 0.0
    loud: NDArray[np.bool_] = power > max(power.max(initial=0.0) * _VOICED_SHARE, _NOISE * noise, 1)
    return loud


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    decoders = Decoders()
    while line := requests.readline():
        request = json.loads(line)
        audio = requests.read(request["bytes"])
        try:
            answer = decoders.decode(request["jsgf"], audio)
        except Exception as error:  # foreign code: one turn lost is better than the process
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    # What the library prints must not stand between the answers.
    answers_to = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers_to)
