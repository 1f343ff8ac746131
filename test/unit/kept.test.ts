/** What is kept between calls: by key, and no more bytes than it may be. */
import {Kept} from '../../src/rotary/kept';

const makes: string[] = [];

function keeper(most: number) {
  const kept = new Kept<{bytes: number}>(({bytes}) => bytes, most);
  makes.length = 0;
  return (key: string, bytes = 10) =>
    kept.get(key, () => {
      makes.push(key);
      return {bytes};
    });
}

test('what was made is not made again', () => {
  const get = keeper(100);
  expect(get('a')).toBe(get('a'));
  expect(get('b')).not.toBe(get('a'));
  expect(makes).toEqual(['a', 'b']);
});

test('beyond so many bytes, what was used least recently goes', () => {
  const get = keeper(30);
  for (const key of ['a', 'b', 'c', 'a', 'd', 'a', 'c', 'd', 'b']) get(key);
  // d drove b out; when b came again, a had been used longest ago
  expect(makes).toEqual(['a', 'b', 'c', 'd', 'b']);
  get('a');
  expect(makes).toEqual(['a', 'b', 'c', 'd', 'b', 'a']);
});

test('what goes makes room: a thousand keys stay within the bytes', () => {
  const get = keeper(30);
  for (let i = 0; i < 1000; i++) get(`${i}`);
  makes.length = 0;
  for (const key of ['999', '998', '997']) get(key);
  expect(makes).toEqual([]);
});

test('one that is larger than all may be is made for its call alone', () => {
  const get = keeper(30);
  expect(get('large', 50)).toEqual({bytes: 50});
  get('large', 50);
  expect(makes).toEqual(['large', 'large']);
});
