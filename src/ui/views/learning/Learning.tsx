/** Being built. */
export function Learning() {
  return <section class="card">Learning</section>;
}
