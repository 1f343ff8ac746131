"""Train the PyTorch original's LocalTransformer in float64 by 20 steps of SGD and write its losses down.

    pip install -r scripts/requirements.txt
    python scripts/make_losses.py            # write test/fixtures/losses.json
    python scripts/make_losses.py --check    # compare with the committed file

The configurations are drawn. Weights and tokens come from Lehmer's generator, which is a line in any
language, so that the file holds a seed for them: test/oracle/losses.test.ts draws the same.
"""

import argparse
import sys
from math import prod, sqrt

import torch
from make_fixtures import FIXTURES, Draw, disagreement, file_text
from make_transformer_fixtures import build, exact

FILE = FIXTURES / 'losses.json'
CASES, STEPS, BATCH = 10, 20, 2


class Lehmer:
    """x <- 48271 x mod 2^31 - 1"""

    def __init__(self, seed):
        self.x = seed

    def below(self, limit):
        self.x = self.x * 48271 % 2147483647
        return self.x % limit


GAINS = ('weight', 'q_scale', 'k_scale', 'static_beta')


def fill(numbers, model):
    """About what a fresh model has: from values drawn anyhow, float32 itself goes its own way in 20 steps.

    In the order of the names, multiples of 1/4096: vectors of embeddings of at most 1, of a matrix
    1/sqrt(columns), of the rest 1/4 about one or zero, of connections 1/8 about their first values.
    """
    for name, parameter in sorted(model.named_parameters()):
        shape, axes = parameter.shape, parameter.dim()
        limit = 1 if '_emb' in name else 1 / sqrt(shape[-1]) if axes == 2 else 1 / 4
        steps = int(4096 * (1 / 8 if '_alpha' in name or '_beta' in name else limit))
        values = [(numbers.below(2 * steps + 1) - steps) / 4096 for _ in range(prod(shape))]
        values = torch.tensor(values, dtype=torch.float64).reshape(shape)
        if axes == 1 and name.endswith(GAINS):
            values += 1
        elif name.endswith('static_alpha'):
            values[0, 0] += 1
            values[:, 1:] += torch.eye(len(values), dtype=torch.float64)
        parameter.data = values


def configuration(draw):
    def one_of(*levels):
        return levels[draw.below(len(levels))]

    config = dict(numTokens=one_of(11, 17, 23), maxSeqLen=41, dim=one_of(9, 12, 15),
                  depth=one_of(1, 2, 3), heads=one_of(1, 2, 3), dimHead=one_of(2, 4, 6),
                  localAttnWindowSize=one_of(3, 5, 8), exactWindowsize=one_of(True, False),
                  numResidualStreams=one_of(1, 2, 3, 4), ffMult=one_of(2, 3, 4),
                  qkRmsnorm=one_of(True, False), gateValuesPerHead=one_of(True, False),
                  sharedQk=one_of(True, False), ignoreIndex=one_of(-1, 0))
    position = one_of('rotary', 'xpos', 'bias')
    if position == 'bias':
        return {**config, 'useDynamicPosBias': True}
    config['lookBackward'] = one_of(1, 2)
    return {**config, 'useXpos': True, 'xposScaleBase': 4} if position == 'xpos' else config


def case_of(seed):
    draw = Draw(f'losses {seed}')
    config, tokens, rate = configuration(draw), 18 + draw.below(20), [0.01, 0.03, 0.05][draw.below(3)]
    model, numbers = build(config), Lehmer(seed)
    fill(numbers, model)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    losses = []
    for _ in range(STEPS):
        ids = [[numbers.below(config['numTokens']) for _ in range(tokens + 1)] for _ in range(BATCH)]
        loss = model(torch.tensor(ids), return_loss=True)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    losses = exact(torch.tensor(losses, dtype=torch.float64))
    return dict(name=f'random {seed}', config=config, seed=seed, tokens=tokens, batch=BATCH,
                learningRate=rate, losses=losses)


def main():
    parser = argparse.ArgumentParser(description='Write the losses, or check them.')
    parser.add_argument('--check', action='store_true', help='compare with the committed file')
    text = file_text(cases=map(case_of, range(1, CASES + 1)))
    if not parser.parse_args().check:
        FILE.write_text(text)
        print(f'{FILE.name}: {CASES} cases, {len(text) / 1024:.0f} KiB')
        return
    problem = disagreement(FILE, text)
    print(problem or f'{FILE.name}: agrees')
    sys.exit(1 if problem else 0)


if __name__ == '__main__':
    main()
