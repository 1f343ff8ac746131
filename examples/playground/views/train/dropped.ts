/** What somebody gives the page: a text, a model or a checkpoint, told by the names of files. */

export type Given =
  | {kind: 'text'; file: File}
  | {kind: 'model'; files: File[]}
  | {kind: 'checkpoint'; file: File}
  | {kind: 'nothing'; reason: string};

const endsWith = (ending: string) => (file: File) => file.name.toLowerCase().endsWith(ending);

export function givenBy(files: readonly File[]): Given {
  const seen = files.filter(({name}) => !name.startsWith('.'));
  const model = seen.find(endsWith('.json'));
  const weights = seen.filter(endsWith('.bin'));
  if (model && weights.length > 0) return {kind: 'model', files: [model, ...weights]};
  if (model) return nothing(`${model.name} comes without its weights: give weights.bin with it.`);
  if (weights.length > 0) return nothing(`${weights[0].name} comes without its model.json: give both.`); // prettier-ignore
  if (seen.length === 0) return nothing('There is no file in what you gave.');
  if (seen.length > 1) return nothing('Give one text, one checkpoint, or a model.json with its weights.'); // prettier-ignore
  const [file] = seen;
  return {kind: endsWith('.safetensors')(file) ? 'checkpoint' : 'text', file};
}

function nothing(reason: string): Given {
  return {kind: 'nothing', reason};
}

/** Files that are dropped anywhere while `section` is shown, which is marked while they are above it. */
export function takeDropped(section: HTMLElement, take: (dropped: DataTransfer) => void): void {
  const mark = (above: boolean) => section.classList.toggle('above', above && !section.hidden);
  const filesOf = ({dataTransfer}: DragEvent) =>
    dataTransfer?.types.includes('Files') ? dataTransfer : null; // words go where they are dropped
  addEventListener('dragover', (event) => filesOf(event) && mark(true));
  addEventListener('dragleave', ({relatedTarget}) => relatedTarget === null && mark(false));
  addEventListener('drop', (event) => {
    const files = filesOf(event);
    mark(false);
    if (files && !section.hidden) take(files);
  });
}

/** The files that are dropped, those in a folder too. */
export async function filesOf({items, files}: DataTransfer): Promise<File[]> {
  // before anything is waited for: afterwards there are no items
  const entries = Array.from(items).map((item) => item.webkitGetAsEntry());
  const loose = Array.from(files);
  const inside = await Promise.all(
    entries.map(async (entry, i) =>
      entry?.isDirectory ? filesIn(entry as FileSystemDirectoryEntry) : [loose[i]],
    ),
  );
  return inside.flat().filter(Boolean); // words that are dragged are no files
}

async function filesIn(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const entries = await new Promise<FileSystemEntry[]>((resolve, reject) =>
    folder.createReader().readEntries(resolve, reject),
  );
  const files = entries.filter((entry) => entry.isFile) as FileSystemFileEntry[];
  return Promise.all(
    files.map((file) => new Promise<File>((resolve, reject) => file.file(resolve, reject))),
  );
}
