/** Why compressed data cannot be unpacked; whoever knows the input's name makes a SluiceError of it. */
export class Damage extends Error {
  /**
   * `truncated`: the data end too early. `corrupt`: they are not what was compressed, or not compressed data at all.
   * `too_large`: unpacking them would take more memory than is given to it.
   */
  constructor(
    readonly how: 'truncated' | 'corrupt' | 'too_large',
    message: string,
  ) {
    super(message);
  }
}
