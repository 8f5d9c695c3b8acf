// Shows the engine's values as BigQuery's REST API does, TIMESTAMP as microseconds.

const two = (n) => String(n).padStart(2, '0');
const fraction = (nanos) => (nanos ? `.${String(Math.floor(nanos / 1000)).padStart(6, '0')}` : '');

/** Fields of the given widths, the last one lowest, of a packed integer. */
function unpack(packed, widths) {
  const fields = [];
  for (const width of widths.toReversed()) {
    fields.unshift(Number(BigInt.asUintN(width, packed)));
    packed >>= BigInt(width);
  }
  return fields;
}

/** A little-endian two's complement integer, scaled by a power of ten. */
function decimal(bytes, scale) {
  let unscaled = 0n;
  for (const byte of [...bytes].reverse()) unscaled = (unscaled << 8n) | BigInt(byte);
  unscaled = BigInt.asIntN(8 * bytes.length, unscaled);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const text = `${digits.slice(0, -scale)}.${digits.slice(-scale)}`.replace(/\.?0+$/, '');
  return unscaled < 0n ? `-${text}` : text;
}

function double(number) {
  if (Number.isNaN(number)) return 'NaN';
  if (!Number.isFinite(number)) return number < 0 ? '-Infinity' : 'Infinity';
  return Object.is(number, -0) ? '-0.0' : String(number);
}

function datetime({ bitFieldDatetimeSeconds, nanos }) {
  const [year, month, day, ...time] = unpack(BigInt(bitFieldDatetimeSeconds), [14, 4, 5, 5, 6, 6]);
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${time.map(two).join(':')}${fraction(nanos)}`;
}

function time(packed) {
  const [hour, minute, second, nanos] = unpack(BigInt(packed), [5, 6, 6, 30]);
  return `${[hour, minute, second].map(two).join(':')}${fraction(nanos)}`;
}

const SHOWN = {
  boolValue: String,
  doubleValue: double,
  bytesValue: (bytes) => bytes.toString('base64'),
  numericValue: (bytes) => decimal(bytes, 9),
  bignumericValue: (bytes) => decimal(bytes, 38),
  dateValue: (days) => new Date(days * 86_400_000).toISOString().slice(0, 10),
  timeValue: time,
  datetimeValue: datetime,
  timestampValue: ({ seconds = 0, nanos = 0 }) => String(BigInt(seconds) * 1_000_000n + BigInt(Math.floor(nanos / 1000))),
  arrayValue: ({ element }) => element.map(show),
  structValue: ({ field }) => field.map(show),
};

/** A value's text; null for NULL, which the engine writes as a message without a field. */
export function show(cell) {
  const [[kind, value] = []] = Object.entries(cell).filter(([name]) => name !== 'value');
  if (kind === undefined) return null;
  return SHOWN[kind] ? SHOWN[kind](value) : value;
}
