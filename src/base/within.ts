/**
 * The answer, if it comes in that many milliseconds.
 * @param complaint what the error says
 * @throws Error otherwise; what was asked goes on
 */
export async function within<T>(ms: number, answer: Promise<T>, complaint = `no answer within ${ms} ms`): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new Error(complaint));
    // where this process was busy for so long, the answer may have come, and not been read
    timer = setTimeout(() => setImmediate(giveUp), ms).unref();
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
