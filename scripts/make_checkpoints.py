"""Write checkpoints of the PyTorch original, and what it answers with them.

    pip install -r scripts/requirements.txt
    python scripts/make_checkpoints.py            # write test/fixtures/checkpoints/*
    python scripts/make_checkpoints.py --check    # compare with the committed files
    python scripts/make_checkpoints.py --load FOLDER    # its files into the original

Every parameter is drawn anew, by a generator seeded by the case's own name: a fresh model has zeros
and ones where a checkpoint can hold anything, and would hide what is loaded into the wrong place.

`--load` loads the files of a folder, each named as the file of its case, by load_state_dict with
strict=True, and prints {case: {"message", "output"}} as JSON, the output on the inputs of the case; it
exits with 1 where PyTorch refuses a file.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from local_attention import LocalTransformer
from local_attention.transformer import LocalMHA
from make_fixtures import FIXTURES, Draw, snake
from safetensors.torch import load_file, save_file

FOLDER = FIXTURES / 'checkpoints'
CASES = FOLDER / 'cases.json'
TOLERANCE = 1e-5  # float32, and another CPU may sum in another order
BATCH, TOKENS = 1, 15  # no multiple of the window

SMALL = dict(numTokens=13, maxSeqLen=19, dim=10, depth=1, dimHead=6, heads=3, localAttnWindowSize=4)
MHA = dict(dim=7, windowSize=4, dimHead=6, heads=3, causal=True)

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def cases():
    """name, config as in TypeScript, dtype of the file"""
    one = dict(numResidualStreams=1)
    yield 'defaults', dict(depth=2), 'float32'
    yield 'one stream', dict(depth=2, **one), 'float32'
    yield 'two streams, qk rmsnorm, gates', dict(
        numResidualStreams=2, qkRmsnorm=True, qkScale=5, gateValuesPerHead=True
    ), 'float32'
    yield 'xpos', dict(useXpos=True, **one), 'float32'
    yield 'dynamic position bias', dict(useDynamicPosBias=True), 'float32'
    yield 'shared qk, blocks, look back 2', dict(
        sharedQk=True, exactWindowsize=False, lookBackward=2, **one
    ), 'float32'
    yield 'inserted layers', dict(depth=2, numResidualStreams=3, insertLayers=[2]), 'float32'
    yield 'inserted layers, one stream', dict(insertLayers=[1], **one), 'float32'
    yield 'encoder', dict(numTokens=None), 'float32'
    yield 'float16', dict(**one), 'float16'
    yield 'bfloat16', dict(**one), 'bfloat16'
    yield 'LocalMHA', dict(), 'float32'
    yield 'LocalMHA, prenorm, qk rmsnorm, gates', dict(
        prenorm=True, qkRmsnorm=True, gateValuesPerHead=True
    ), 'float32'
    yield 'LocalMHA, no rotary', dict(useRotaryPosEmb=False), 'float32'


def build(name, config):
    options = snake(config)
    if name.startswith('LocalMHA'):
        return LocalMHA(**options)
    inserted = options.pop('insert_layers', None)
    if inserted:
        options['global_attn_layer'] = torch.nn.Linear(config['dim'], config['dim'])
        options['layers_insert_global_attn'] = tuple(inserted)
    return LocalTransformer(**options)


def inputs_of(name, config):
    draw = Draw(f'{name}: inputs')
    if config.get('numTokens') is None:
        return draw.tensor(BATCH, TOKENS, config['dim']).detach().float()
    return torch.tensor(
        [[draw.below(config['numTokens']) for _ in range(TOKENS)] for _ in range(BATCH)]
    )


def output_of(model, x):
    with torch.no_grad():
        return model.eval()(x)


def made(name, options, dtype):
    """(the case, the tensors of its file)"""
    config = {**(MHA if name.startswith('LocalMHA') else SMALL), **options}
    model, draw = build(name, config), Draw(name)
    numbers = getattr(torch, dtype)
    with torch.no_grad():
        for parameter in model.parameters():
            center = 1.0 if parameter.dim() == 1 else 0.0  # most are gains
            values = draw.tensor(*parameter.shape, limit=0.7, center=center).detach()
            parameter.copy_(values.to(numbers).float())
    x = inputs_of(name, config)
    file = name.lower().replace(',', '').replace(' ', '_')
    case = dict(name=name, config=config, file=f'{file}.safetensors', x=stored(x))
    case['output'] = stored(output_of(model, x))
    return case, {key: value.to(numbers) for key, value in model.state_dict().items()}


def stored(tensor):
    data = tensor.flatten().tolist()
    if tensor.is_floating_point():
        data = [float(f'{value:.8g}') for value in data]
    return dict(shape=list(tensor.shape), data=data)


def write():
    FOLDER.mkdir(exist_ok=True)
    lines = []
    for one in cases():
        case, tensors = made(*one)
        save_file(tensors, FOLDER / case['file'], metadata={'format': 'pt'})
        lines.append(json.dumps(case))
    CASES.write_text('[\n' + ',\n'.join(lines) + '\n]\n')


def disagreements():
    committed = {case['name']: case for case in json.loads(CASES.read_text())}
    for one in cases():
        case, tensors = made(*one)
        name = case['name']
        old = committed.pop(name, None)
        if old is None or {**old, 'output': None} != {**case, 'output': None}:
            yield f'{name}: another case is committed'
        elif not close(torch.tensor(old['output']['data']), torch.tensor(case['output']['data'])):
            yield f'{name}: another output is committed'
        else:
            file = load_file(FOLDER / case['file'])
            if file.keys() != tensors.keys():
                yield f'{name}: other tensors are committed'
            elif not all(close(file[key].float(), tensors[key].float()) for key in tensors):
                yield f'{name}: other numbers are committed'
    yield from (f'{name}: is committed, but not made' for name in committed)


def close(a, b):
    return a.shape == b.shape and ((a - b).abs() <= TOLERANCE * b.abs().clamp(min=1)).all()


def load(folder):
    answers = {}
    for case in json.loads(CASES.read_text()):
        file = folder / case['file']
        if file.exists():
            model = build(case['name'], case['config'])
            message = model.load_state_dict(load_file(file), strict=True)
            x = torch.tensor(case['x']['data']).reshape(case['x']['shape'])
            answers[case['name']] = dict(
                message=str(message), output=stored(output_of(model, x))
            )
    print(json.dumps(answers))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--check', action='store_true')
    parser.add_argument('--load', type=Path, metavar='FOLDER')
    arguments = parser.parse_args()
    if arguments.load:
        load(arguments.load)
    elif arguments.check:
        wrong = list(disagreements())
        print('\n'.join(wrong) or f'{FOLDER.name}: as committed')
        sys.exit(1 if wrong else 0)
    else:
        write()


if __name__ == '__main__':
    main()
