"""A process that recognises: pocketsphinx holds Python's lock while it decodes, so it has its own.

Speaks over its standard streams. A request is one line of JSON {"jsgf", "bytes"} and that many
bytes of 16 kHz audio; the answer is one line {"text", "score"}: score is the mean acoustic
log likelihood of a 10 ms frame of speech, which says how well the words fit what was heard.
The process ends with its input.
"""

import json
import math
import os
import sys
from typing import Any, BinaryIO

import numpy as np

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
        self._noise = np.random.default_rng(1)

    def decode(self, jsgf: str, audio: bytes) -> dict[str, Any]:
        """Recognise a whole turn."""
        self._activate(jsgf)
        samples = np.frombuffer(audio, np.int16)
        if not len(samples):
            return {"text": "", "score": 0.0}
        dithered = samples + self._noise.normal(0, _DITHER, len(samples))
        self._decoder.start_utt()
        pcm = dithered.clip(-32768, 32767).astype(np.int16).tobytes()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return {"text": found.hypstr if found else "", "score": self._score()}

    def _activate(self, jsgf: str) -> None:
        if jsgf not in self._grammars:
            name = f"g{len(self._grammars)}"
            self._decoder.add_jsgf_string(name, jsgf)
            self._grammars[jsgf] = name
        self._decoder.activate_search(self._grammars[jsgf])

    def _score(self) -> float:
        words = [s for s in self._decoder.seg() or () if s.word[0] not in "<[("]
        frames = sum(s.end_frame - s.start_frame + 1 for s in words)
        total = sum(math.log(max(s.ascore, sys.float_info.min)) for s in words)
        return total / frames if frames else -99.0


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
