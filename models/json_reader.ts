/**
 * JSON read from its bytes, and never more of it than is asked for. JSON.parse would keep the last of
 * two members of one name, set prototypes where objects are assigned, and build whatever a hostile
 * text describes before anyone could say no.
 */
import {refuse, show} from '../src/check/errors';

const [QUOTE, BACKSLASH, ZERO, NINE] = ['"', '\\', '0', '9'].map((one) => one.charCodeAt(0));
const SPACES = new Set([0x20, 0x09, 0x0a, 0x0d]);
const MOST_DIGITS = 16; // of a whole number that a number of JavaScript holds exactly
const SHOWN = 8; // bytes of what was found instead
const MOST_MEMBERS = 100_000; // of an object: each takes several times the memory of its text
const LONGEST_STRING = 2 ** 20; // bytes

export class JsonReader {
  private at = 0;
  private readonly decoder = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

  /** @param where what the bytes are, in the words of a message */
  constructor(
    private readonly fn: string,
    private readonly where: string,
    private readonly bytes: Uint8Array,
  ) {}

  /** Reads `{"name": …, …}`; `member` reads the value of each. Throws where a name comes twice. */
  object(what: string, member: (name: string) => void): void {
    this.take('{', what);
    const names = new Set<string>();
    if (!this.comes('}')) {
      do {
        if (names.size === MOST_MEMBERS)
          this.expected(`no more than ${MOST_MEMBERS} names in ${what}`);
        const name = this.string(`a name in ${what}`);
        if (names.has(name)) refuse(this.fn, `${this.where} must not name ${show(name)} twice`);
        names.add(name);
        this.take(':', `a ':' after the name ${show(name)}`);
        member(name);
      } while (this.took(','));
    }
    this.take('}', `a ',' or the end of ${what}`);
  }

  /** Reads `[0, 1, …]`, at most `most` whole numbers. */
  wholeNumbers(what: string, most: number): number[] {
    const numbers: number[] = [];
    this.take('[', what);
    if (!this.comes(']')) {
      do {
        if (numbers.length === most) this.expected(`no more than ${most} numbers as ${what}`);
        numbers.push(this.wholeNumber(what));
      } while (this.took(','));
    }
    this.take(']', what);
    return numbers;
  }

  string(what: string): string {
    this.take('"', what);
    const {bytes} = this;
    const begin = this.at;
    const end = Math.min(bytes.length, begin + LONGEST_STRING);
    while (this.at < end && bytes[this.at] !== QUOTE) {
      this.at += bytes[this.at] === BACKSLASH ? 2 : 1;
    }
    if (bytes[this.at] !== QUOTE) {
      const most = `within ${LONGEST_STRING} bytes`;
      this.expected(`the end of the string that begins at byte ${begin}, ${most},`);
    }
    const escaped = this.utf8(begin, this.at++);
    // eslint-disable-next-line no-control-regex -- which JSON has in escapes alone
    if (!/[\\\u0000-\u001f]/.test(escaped)) return escaped;
    try {
      const text = JSON.parse(`"${escaped}"`) as string;
      if (!/\p{Surrogate}/u.test(text)) return text;
    } catch {
      // a control character, or an escape that there is not
    }
    return refuse(this.fn, `${this.where} must be JSON, got the string ${show(escaped)}`);
  }

  /** Throws unless nothing is left but spaces. */
  end(): void {
    if (this.next() !== -1) this.expected('nothing after its end');
  }

  private wholeNumber(what: string): number {
    const leadingZero = this.next() === ZERO;
    const {bytes, at} = this;
    let end = at;
    while (end - at <= MOST_DIGITS && bytes[end] >= ZERO && bytes[end] <= NINE) end++;
    const value = Number(String.fromCharCode(...bytes.subarray(at, end)));
    if (end === at || (leadingZero && end > at + 1) || !Number.isSafeInteger(value)) {
      this.expected(what);
    }
    this.at = end;
    return value;
  }

  private take(character: string, what: string): void {
    if (!this.took(character)) this.expected(what);
  }

  private took(character: string): boolean {
    const there = this.comes(character);
    if (there) this.at++;
    return there;
  }

  private comes(character: string): boolean {
    return this.next() === character.charCodeAt(0);
  }

  /** The next byte that is no space, or −1 at the end. */
  private next(): number {
    while (SPACES.has(this.bytes[this.at])) this.at++;
    return this.at < this.bytes.length ? this.bytes[this.at] : -1;
  }

  private utf8(begin: number, end: number): string {
    try {
      return this.decoder.decode(this.bytes.subarray(begin, end));
    } catch {
      return refuse(this.fn, `${this.where} must be UTF-8, got other bytes from byte ${begin} on`);
    }
  }

  private expected(what: string): never {
    const rest = this.bytes.subarray(this.at, this.at + SHOWN);
    const found = rest.length > 0 ? show(String.fromCharCode(...rest)) : 'its end';
    refuse(this.fn, `${this.where} must have ${what} at byte ${this.at}, got ${found}`);
  }
}
