// A small line of the last minute.

const [WIDTH, HEIGHT, POINTS] = [64, 20, 30];

/** Draws values, the newest at the right; none is a gap. */
export function spark(path, values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  const most = Math.max(...known, 0);
  const step = WIDTH / (POINTS - 1);
  const start = POINTS - values.length;
  let line = "";
  let open = false;
  values.forEach((value, index) => {
    if (value === null || value === undefined) {
      open = false;
      return;
    }
    // Nothing at all is a line at the bottom.
    const y = most === 0 ? HEIGHT - 1 : HEIGHT - 1 - (value / most) * (HEIGHT - 3);
    line += `${open ? "L" : "M"}${((start + index) * step).toFixed(1)} ${y.toFixed(1)}`;
    open = true;
  });
  if (path.getAttribute("d") !== line) path.setAttribute("d", line);
}

export const BOX = `0 0 ${WIDTH} ${HEIGHT}`;
