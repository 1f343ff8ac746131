"""Load into the original what continue.ts has saved, and compare the logits.

    python examples/cluster/check.py FOLDER
"""

import json
import sys
from pathlib import Path

import torch
from local_attention import LocalTransformer
from safetensors.torch import load_file
from train import snake


def main(folder):
    probe = json.loads(Path(folder, 'continued.json').read_text())
    model = LocalTransformer(**snake(probe['config'])).eval()
    print(model.load_state_dict(load_file(f'{folder}/continued.safetensors'), strict=True))
    with torch.no_grad():
        logits = model(torch.tensor(probe['ids']))
    error = (logits - torch.tensor(probe['logits'])).abs().max().item()
    print(f"the logits differ from TensorFlow.js's by {error:.1e}")
    sys.exit(error > 1e-4)


if __name__ == '__main__':
    main(sys.argv[1])
