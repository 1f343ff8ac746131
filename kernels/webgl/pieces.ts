/** What the shaders of several passes know about tiles, angles and dropout. */

/** Tiles of four queries, and the blocks of keys that they see. */
export const TILES = `
int originOf(int group) {
  return max(0, (group * groupLength / windowSize - lookBackward) * windowSize);
}

struct Tile {
  int head;
  int query; // the first of four
  int end; // one past the last query of the group
  int base; // the first key of the first block
  int row; // where that key is among all rows of keys
  int columns; // blocks
};

Tile tileAt(int index) {
  Tile tile;
  int strip = index / tiles;
  tile.head = strip / groups;
  int group = strip - tile.head * groups;
  int origin = originOf(group);
  tile.query = group * groupLength + 4 * (index - strip * tiles);
  tile.end = min(tokens, (group + 1) * groupLength);
  int base = (firstKey(tile.query) - origin) & ~(TARGETS - 1);
  tile.base = origin + base;
  tile.row = strip * keyRows + base;
  int end = endKey(min(tile.query + 4, tile.end) - 1);
  tile.columns = tile.query < tile.end ? (end - tile.base + TARGETS - 1) / TARGETS : 0;
  return tile;
}

/** Whether all four queries see all keys of the block that begins with key j. */
bool within(int query, int j) {
  return firstKey(query + 3) <= j && j + TARGETS <= endKey(query);
}
`;

/** Where main begins, for a cell of the scores of a chunk: its place, and its tile. */
export const CELL_OF_TILE = `
  ivec2 at = here();
  Tile tile = tileAt(firstTile + at.x);
  if (at.y >= tile.columns) discard;`;

/** Where query i of a head is: its group's strip, its tile, its place in it, and the group's origin. */
export const QUERIES = `
ivec4 placeOf(int head, int i) {
  int group = i / groupLength;
  int strip = head * groups + group;
  int at = i - group * groupLength;
  return ivec4(strip, strip * tiles + at / 4, at & 3, originOf(group));
}

/** Texel \`quad\` of what is mixed for a query of a tile. */
vec4 mixedAt(usampler2DArray cells, ivec2 of, int tile, int query, int quad) {
  const int QUERIES = min(4, TARGETS);
  const int QUADS = TARGETS / QUERIES;
  int column = quad / QUADS * (4 / QUERIES) + query / QUERIES;
  return four(cells, cell(tile, column, of), quad % QUADS * QUERIES + query % QUERIES);
}
`;

/** Four cosines and, next to them, four sines in a row of a table of angles: of the channels 4m … */
export const ANGLES = `
ivec2 anglesPlace(int row, int m) {
  int width = textureSize(angles, 0).x;
  int index = row * keyQuads + 2 * m;
  int y = index / width;
  return ivec2(index - y * width, y);
}

vec4 anglesNext(inout ivec2 at) {
  vec4 found = texelFetch(angles, at, 0);
  at = at.x + 1 < textureSize(angles, 0).x ? at + ivec2(1, 0) : ivec2(0, at.y + 1);
  return found;
}
`;

/** The finaliser of MurmurHash3 (Austin Appleby, public domain), and what the weights of a tile are multiplied by. */
export const DROPOUT = `
#if DROPPED
uint hash(uint x) {
  x = (x ^ (x >> 16)) * 0x85ebca6bu;
  x = (x ^ (x >> 13)) * 0xc2b2ae35u;
  return x ^ (x >> 16);
}

float kept(int head, int query, int key) {
  uint start = hash(hash(hash(seed) + uint(head)) + uint(query));
  uint bits = hash(start + uint(key) * (hash(start ^ 0x9e3779b9u) | 1u));
  return bits < dropThreshold ? 0.0 : keptFactor;
}

vec4 keptOfTile(Tile tile, int key) {
  int i = tile.query;
  return vec4(
    kept(tile.head, i, key), kept(tile.head, i + 1, key),
    kept(tile.head, i + 2, key), kept(tile.head, i + 3, key));
}
#define KEPT(tile, j) keptOfTile(tile, j)
#else
#define KEPT(tile, j) 1.0
#endif
`;
