/** A slider over the reward's line: the run at any step. */
import type { Player } from "./player.ts";

export function Scrubber({ player }: { player: Player }) {
  const at = Math.floor(player.position.value);
  return (
    <input
      type="range"
      class="scrubber"
      aria-label="Step of the run"
      aria-valuetext={`step ${at} of ${player.length}`}
      min={0}
      max={player.length}
      step={1}
      value={at}
      onInput={(event) => {
        player.pause();
        player.seek(Number(event.currentTarget.value));
      }}
    />
  );
}
