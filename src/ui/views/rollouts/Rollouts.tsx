/** Being built. */
export function Rollouts() {
  return <section class="card">Rollouts</section>;
}
