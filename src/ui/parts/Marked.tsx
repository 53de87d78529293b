/** A sentence in which words between backticks are code, as errors and hints write them. */
export function Marked({ text }: { text: string }) {
  return (
    <>{text.split("`").map((piece, index) => (index % 2 === 1 ? <code key={index}>{piece}</code> : piece))}</>
  );
}
