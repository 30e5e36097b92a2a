/**
 * Waits for work, but not for ever.
 * @param patience in milliseconds
 * @throws Error where it takes longer, and goes on
 */
export function withPatience<T>(work: Promise<T>, patience: number, complaint: string): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`${complaint} for ${patience} ms`);
    timer = setTimeout(() => reject(error), patience).unref();
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
