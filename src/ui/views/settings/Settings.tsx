/** Being built. */
export function Settings() {
  return <section class="card">Settings</section>;
}
