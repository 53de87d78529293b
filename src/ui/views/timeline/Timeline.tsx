/** Being built. */
export function Timeline() {
  return <section class="card">Timeline</section>;
}
