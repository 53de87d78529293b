/** Being built. */
export function Chat() {
  return <section class="card">Chat</section>;
}
