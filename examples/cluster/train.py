"""Train the original's LocalTransformer in several processes, and save it for TensorFlow.js.

    torchrun --nproc_per_node 2 examples/cluster/train.py FOLDER

It learns to write its own source. FOLDER gets model.safetensors, and probe.json: the options of the
model in the words of TypeScript, some token ids, and the logits that PyTorch answers.
"""

import json
import os
import re
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from local_attention import LocalTransformer
from safetensors.torch import save_file
from torch.nn.parallel import DistributedDataParallel

CONFIG = dict(numTokens=128, maxSeqLen=64, dim=48, depth=2, heads=3, dimHead=16)
CONFIG.update(localAttnWindowSize=16, qkRmsnorm=True, gateValuesPerHead=True)
STEPS, BATCH, RATE = 40, 8, 3e-3


def snake(config):
    return {re.sub('[A-Z]', lambda c: '_' + c[0].lower(), key): config[key] for key in config}


def main(folder):
    dist.init_process_group('gloo')
    rank = dist.get_rank()
    torch.manual_seed(rank)  # other batches in each process; the weights are those of the first
    torch.set_num_threads(1)
    text = torch.tensor(list(Path(__file__).read_bytes()))
    model = LocalTransformer(**snake(CONFIG))
    parallel = DistributedDataParallel(model)
    optimizer = torch.optim.Adam(parallel.parameters(), lr=RATE)

    length = CONFIG['maxSeqLen'] + 1  # the last token is only a label
    for step in range(STEPS):
        starts = torch.randint(len(text) - length, (BATCH,)).tolist()
        batch = torch.stack([text[start:start + length] for start in starts])
        loss = parallel(batch, return_loss=True)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if rank == 0 and step in (0, STEPS - 1):
            print(f'step {step + 1}: loss {loss.item():.3f}', flush=True)

    if rank == 0:
        ids = text[:3 * 41].reshape(3, 41)
        with torch.no_grad():
            logits = model.eval()(ids)
        os.makedirs(folder, exist_ok=True)
        # the model within: parallel.state_dict() would put 'module.' before each name
        save_file(model.state_dict(), f'{folder}/model.safetensors', metadata={'format': 'pt'})
        probe = dict(config=CONFIG, ids=ids.tolist(), logits=logits.tolist())
        Path(folder, 'probe.json').write_text(json.dumps(probe))
    dist.destroy_process_group()


if __name__ == '__main__':
    main(sys.argv[1])
