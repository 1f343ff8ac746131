"""The cases of verify(): few, and small in the package that ships them.

Inputs are not stored: they are multiples of 1/256 within ±1 from a generator that src/verify/inputs.ts
computes alike, and so exact in float16. Of each result are stored its largest magnitude, SAMPLES of
its numbers in places that the generator draws, as 24 bits of that largest, and the sum of all its
numbers under drawn signs, which sees what stands in no sampled place.
"""

import base64
import json
from math import prod

import torch

SAMPLES = 12
STEPS = 2 ** 23  # of a stored number, up to the largest of its result
MASK32 = 2 ** 32 - 1
LEAD = [2, 3]


def cases():
    """Each another mode, few of them another kernel: an emulated GPU compiles each for a second.

    Head sizes of at most 8 and windows of at most 12 share theirs; d and dv differ everywhere.
    """
    yield case('blocks, padded, masked', [*LEAD, 43, 8], 7, mask=True, windowSize=11, autopad=True)
    yield case('exact, causal, look back 2, biased', [*LEAD, 35, 6], 5, bias=True, windowSize=5,
               exactWindowsize=True, causal=True, lookBackward=2)
    yield case('exact, xpos, masked, biased', [*LEAD, 24, 6], 7, mask=True, bias=True,
               windowSize=6, exactWindowsize=True, useXpos=True)
    yield case('shared qk, causal, biased, fewer tokens than the window', [*LEAD, 11, 8], 5,
               bias=True, windowSize=12, sharedQk=True, causal=True, autopad=True)
    yield case('no rotary, odd head size, look ahead only', [*LEAD, 32, 7], 5, windowSize=4,
               useRotaryPosEmb=False, lookBackward=0, lookForward=2)
    yield case('window 64, causal, xpos, padded', [1, 2, 150, 16], 12, windowSize=64, causal=True,
               useXpos=True, autopad=True)


def case(name, shape, value_dim=None, mask=False, bias=False, **config):
    case = dict(name=name, config=config, shape=shape, valueDim=value_dim, mask=mask, bias=bias)
    return {key: value for key, value in case.items() if value}


class Generator:
    """mulberry32 (Tommy Ettinger, public domain), as in src/verify/inputs.ts."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state + 0x6d2b79f5) & MASK32
        x = self.state
        x = ((x ^ x >> 15) * (x | 1)) & MASK32
        x ^= (x + ((x ^ x >> 7) * (x | 61))) & MASK32
        return ((x ^ x >> 14) * limit) >> 32

    def tensor(self, *shape):
        values = [(self.below(513) - 256) / 256 for _ in range(prod(shape))]
        return torch.tensor(values, dtype=torch.float64).reshape(shape).requires_grad_()


def answered(seed, case, run, visibility):
    """The case with its golden numbers. `run` calls the original, `visibility` says who sees whom."""
    config, (batch, heads, n, d) = case['config'], case['shape']
    width, draw = config['windowSize'], Generator(seed)
    q, k = draw.tensor(batch, heads, n, d), draw.tensor(batch, heads, n, d)
    v, dout = (draw.tensor(batch, heads, n, case.get('valueDim', d)) for _ in range(2))
    bias = keep = None
    if case.get('bias'):
        forward = config.get('lookForward', 0 if config.get('causal') else 1)
        context = (1 + config.get('lookBackward', 1) + forward) * width
        bias = draw.tensor(heads, width, context)
    if case.get('mask'):
        # the first token of a window is kept, so that each query sees a key
        drawn = [[draw.below(3) > 0 or i % width == 0 for i in range(n)] for _ in range(batch)]
        keep = torch.tensor(drawn)
        sees = visibility(config, width)
        assert all(any(row[j] and sees(i, j) for j in range(n)) for row in keep for i in range(n))

    out = run(config, q, k, v, keep, bias, None)
    (out * dout.detach()).sum().backward()
    results = [out.detach(), q.grad, k.grad, v.grad] + ([] if bias is None else [bias.grad])
    return {**case, 'results': [stored(result, draw) for result in results]}


def stored(result, draw):
    values = result.flatten()
    largest = values.abs().max().item()
    places = [draw.below(len(values)) for _ in range(SAMPLES)]
    signs = [1 - 2 * draw.below(2) for _ in range(len(values))]
    steps = [round(values[place].item() / largest * (STEPS - 1)) + STEPS for place in places]
    numbers = base64.b64encode(b''.join(step.to_bytes(3, 'big') for step in steps)).decode()
    total = (values * torch.tensor(signs, dtype=torch.float64)).sum().item()
    return [float(f'{largest:.8g}'), float(f'{total:.8g}'), numbers]


# The file

HEAD = """// Written by scripts/make_fixtures.py: what the PyTorch original answers in float64.
import type {GoldenCase} from './golden';

export const GOLDEN: readonly GoldenCase[] = [
"""


def file_text(run, visibility):
    made = (answered(seed, case, run, visibility) for seed, case in enumerate(cases()))
    return HEAD + ''.join(json.dumps(case) + ',\n' for case in made) + '];\n'


def disagreement(path, text):
    """The first place where the committed file differs from `text` by more than a step, or None."""
    if not path.exists():
        return f'{path.name}: missing'
    committed, made = parsed(path.read_text()), parsed(text)
    if [{**case, 'results': None} for case in committed] != [
        {**case, 'results': None} for case in made
    ]:
        return f'{path.name}: other cases are committed than are made'
    for old, new in zip(committed, made):
        for at, (a, b) in enumerate(zip(old['results'], new['results'], strict=True)):
            if not alike(a, b):
                return f'{path.name}: {new["name"]}, result {at} differs'
    return None


def parsed(text):
    return [json.loads(line[:-1]) for line in text.splitlines() if line.startswith('{')]


def alike(a, b):
    (largest, total, numbers), (other_largest, other_total, other_numbers) = a, b
    return (
        abs(largest - other_largest) <= 1e-7 * largest
        and abs(total - other_total) <= 1e-7 * max(largest, abs(total))
        and all(abs(x - y) <= 1 for x, y in zip(steps(numbers), steps(other_numbers), strict=True))
    )


def steps(numbers):
    data = base64.b64decode(numbers)
    return [int.from_bytes(data[i:i + 3], 'big') for i in range(0, len(data), 3)]
