/* Rectangles over a photo: drawn with a finger or a mouse, or added by a button and moved with the
 * arrow keys (with Shift: made larger and smaller; Delete: taken away). The canvas shows what will
 * be seen; the server covers the kept photo by itself. */
(function () {
  "use strict";

  const CELLS = 5;
  const STEP = 0.01;
  const LEAST = 0.01;
  const box = document.getElementById("blurring");
  const canvas = document.getElementById("canvas");
  const field = document.getElementById("rectangles");
  const count = document.getElementById("count");
  const words = JSON.parse(box.dataset.words);
  const paper = canvas.getContext("2d");
  const photo = new Image();
  const within = (value, low, high) => Math.min(Math.max(value, low), high);
  let covers = [];

  photo.addEventListener("load", show);
  photo.src = box.dataset.src;

  function show() {
    paper.drawImage(photo, 0, 0, canvas.width, canvas.height);
    for (const cover of covers) pixelate(cover);
    for (const cover of covers) place(cover);
    field.value = JSON.stringify(
      covers.map(({ left, top, width, height }) => ({ left, top, width, height }))
    );
    count.textContent = covers.length ? words.count.replace("{n}", covers.length) : "";
  }

  function pixelate(cover) {
    const coarse = document.createElement("canvas");
    coarse.width = coarse.height = CELLS;
    const x = cover.left * canvas.width;
    const y = cover.top * canvas.height;
    const width = Math.max(1, cover.width * canvas.width);
    const height = Math.max(1, cover.height * canvas.height);
    coarse.getContext("2d").drawImage(canvas, x, y, width, height, 0, 0, CELLS, CELLS);
    paper.imageSmoothingEnabled = false;
    paper.drawImage(coarse, 0, 0, CELLS, CELLS, x, y, width, height);
    paper.imageSmoothingEnabled = true;
  }

  function place(cover) {
    const style = cover.handle.style;
    style.left = 100 * cover.left + "%";
    style.top = 100 * cover.top + "%";
    style.width = 100 * cover.width + "%";
    style.height = 100 * cover.height + "%";
  }

  function keepInside(cover) {
    cover.width = within(cover.width, LEAST, 1);
    cover.height = within(cover.height, LEAST, 1);
    cover.left = within(cover.left, 0, 1 - cover.width);
    cover.top = within(cover.top, 0, 1 - cover.height);
  }

  function add(cover) {
    const handle = document.createElement("button");
    handle.type = "button";
    handle.className = "cover";
    handle.setAttribute("aria-label", words.rectangle + " " + (covers.length + 1));
    handle.setAttribute("aria-describedby", "blur-help");
    cover.handle = handle;
    handle.addEventListener("keydown", (event) => onKey(event, cover));
    handle.addEventListener("pointerdown", (event) => drag(event, cover));
    box.append(handle);
    covers.push(cover);
    keepInside(cover);
    show();
    return cover;
  }

  function remove(cover) {
    covers = covers.filter((one) => one !== cover);
    cover.handle.remove();
    show();
    document.getElementById("add").focus();
  }

  function onKey(event, cover) {
    const moves = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      remove(cover);
    } else if (moves[event.key]) {
      event.preventDefault();
      const [x, y] = moves[event.key];
      if (event.shiftKey) {
        cover.width += x;
        cover.height += y;
      } else {
        cover.left += x;
        cover.top += y;
      }
      keepInside(cover);
      show();
    }
  }

  /* Where a pointer is, in shares of the photo. */
  function at(event) {
    const edge = canvas.getBoundingClientRect();
    return [
      within((event.clientX - edge.left) / edge.width, 0, 1),
      within((event.clientY - edge.top) / edge.height, 0, 1),
    ];
  }

  function follow(event, moved, ended) {
    const target = event.currentTarget;
    target.setPointerCapture(event.pointerId);
    const stop = () => {
      target.removeEventListener("pointermove", moved);
      target.removeEventListener("pointerup", stop);
      target.removeEventListener("pointercancel", stop);
      if (ended) ended();
    };
    target.addEventListener("pointermove", moved);
    target.addEventListener("pointerup", stop);
    target.addEventListener("pointercancel", stop);
  }

  function drag(event, cover) {
    const [x, y] = at(event);
    const [left, top] = [cover.left, cover.top];
    follow(event, (moved) => {
      const [nowX, nowY] = at(moved);
      cover.left = left + nowX - x;
      cover.top = top + nowY - y;
      keepInside(cover);
      show();
    });
  }

  canvas.addEventListener("pointerdown", (event) => {
    const [x, y] = at(event);
    let cover = null;
    follow(event, (moved) => {
      const [nowX, nowY] = at(moved);
      cover = cover || add({ left: x, top: y, width: LEAST, height: LEAST });
      cover.left = Math.min(x, nowX);
      cover.top = Math.min(y, nowY);
      cover.width = Math.abs(nowX - x);
      cover.height = Math.abs(nowY - y);
      keepInside(cover);
      show();
    }, () => cover && cover.handle.focus());
  });

  document.getElementById("add").addEventListener("click", () => {
    add({ left: 0.4, top: 0.4, width: 0.2, height: 0.2 }).handle.focus();
  });
})();
