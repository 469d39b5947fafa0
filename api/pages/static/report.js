/* The form of a report, made easier: photos become small before they are sent, a tap on the map
 * says where, and what is reported there already is shown. Without this script the form works by
 * itself. Text is only ever put in by textContent. */
(function () {
  "use strict";

  const LONGEST_PX = 1600;
  const PREVIEW_PX = 192;
  const form = document.getElementById("report");
  const words = JSON.parse(form.dataset.words);
  const atMost = Number(form.dataset.photos);
  const byId = (id) => document.getElementById(id);
  const field = (name) => form.elements[name];

  // ---- photos

  const chooser = byId("photo");
  const previews = byId("previews");
  const note = byId("photo-note");
  let photos = [];

  function draw(picture, longest) {
    const share = Math.min(1, longest / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * share));
    canvas.height = Math.max(1, Math.round(picture.height * share));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    return canvas;
  }

  /* The photo as a small JPEG, upright and without its position; what cannot be read is sent as
   * it is, and the server says why it is refused. */
  async function shrink(file) {
    try {
      const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
      const made = draw(picture, LONGEST_PX);
      const blob = await new Promise((done) => made.toBlob(done, "image/jpeg", 0.85));
      const name = file.name.replace(/\.[^.]*$/, "") + ".jpg";
      return { file: new File([blob], name, { type: "image/jpeg" }), preview: draw(made, PREVIEW_PX) };
    } catch {
      return { file: file, preview: document.createElement("canvas") };
    }
  }

  function showPhotos() {
    const chosen = new DataTransfer();
    previews.replaceChildren();
    photos.forEach((photo, index) => {
      chosen.items.add(photo.file);
      const item = document.createElement("li");
      const remove = document.createElement("button");
      remove.type = "button";
      remove.textContent = "×";
      remove.setAttribute("aria-label", words.photo_remove + " " + (index + 1));
      remove.addEventListener("click", () => {
        photos = photos.filter((one) => one !== photo);
        showPhotos();
        chooser.focus();
      });
      item.append(photo.preview, remove);
      previews.append(item);
    });
    chooser.files = chosen.files;
  }

  let shrinking = Promise.resolve();
  chooser.addEventListener("change", () => {
    const added = [...chooser.files];
    shrinking = shrinking.then(async () => {
      for (const file of added) photos.push(await shrink(file));
      note.hidden = photos.length <= atMost;
      note.textContent = words.photo_too_many;
      photos = photos.slice(0, atMost);
      showPhotos();
    });
  });

  // ---- sending, once

  let isReady = false;
  form.addEventListener("submit", (event) => {
    if (isReady) return;
    event.preventDefault();
    const send = byId("send");
    if (send.disabled) return;
    send.disabled = true;
    send.textContent = words.sending;
    shrinking.finally(() => {
      isReady = true;
      form.submit();
    });
  });

  // ---- where, and what is there already

  const box = byId("map-box");
  if (!box || !window.gridsvc || !gridsvc.map) return;
  const map = gridsvc.map;
  const compound = field("compound");
  const found = byId("found");
  const similar = byId("similar");
  const list = byId("similar-list");
  let marker = null;
  let asked = 0;

  function element(tag, text) {
    const made = document.createElement(tag);
    made.textContent = text;
    return made;
  }

  function showSimilar(ones) {
    list.replaceChildren();
    for (const one of ones) {
      const item = document.createElement("li");
      if (one.thumbnail) {
        const image = document.createElement("img");
        image.src = one.thumbnail;
        image.width = image.height = 72;
        image.alt = "";
        item.append(image);
      }
      const told = document.createElement("div");
      const metres = one.distance_m ? words.metres.replace("{n}", one.distance_m) : words.here;
      const status = words.statuses[one.status] || one.status;
      const where = [status, one.reported_at.slice(0, 10), one.place_name, metres];
      told.append(
        element("small", where.filter(Boolean).join(" · ")),
        element("p", one.words)
      );
      item.append(told);
      list.append(item);
    }
    similar.hidden = ones.length === 0;
  }

  function placeOf(where) {
    if (where.place === "outside") return words.outside;
    return [where.community_name, where.compound_name, where.stairwell_name].filter(Boolean).join(" · ");
  }

  async function lookRound(where) {
    const own = ++asked;
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    const csrf = field("csrf");
    if (csrf && csrf.value) headers["X-CSRF-Token"] = csrf.value;
    const body = JSON.stringify({ category_code: field("what").value, where: where });
    try {
      const answer = await fetch("/api/v1/reports/nearby", { method: "POST", headers: headers, body: body });
      if (own !== asked) return;
      if (!answer.ok) throw new Error(String(answer.status));
      const told = await answer.json();
      found.textContent = placeOf(told.where);
      showSimilar(told.similar);
    } catch {
      if (own === asked) {
        found.textContent = words.failed;
        showSimilar([]);
      }
    }
  }

  function mark(latlng) {
    if (!marker) {
      marker = L.marker(latlng, { draggable: true, keyboard: true, icon: L.divIcon({ className: "gridsvc-pin", html: "<b></b>", iconSize: [24, 24] }) }).addTo(map);
      marker.on("dragend", () => choose(marker.getLatLng()));
    }
    marker.setLatLng(latlng);
  }

  function choose(latlng) {
    mark(latlng);
    compound.value = "";
    field("lon").value = latlng.lng.toFixed(6);
    field("lat").value = latlng.lat.toFixed(6);
    lookRound({ lon: Number(field("lon").value), lat: Number(field("lat").value) });
  }

  map.on("click", (event) => choose(event.latlng));
  compound.addEventListener("change", () => {
    field("lon").value = field("lat").value = "";
    if (marker) marker.remove();
    marker = null;
    if (compound.value) lookRound({ compound_code: compound.value });
  });
  byId("here").addEventListener("click", () => {
    if (!navigator.geolocation) {
      found.textContent = words.here_none;
      return;
    }
    navigator.geolocation.getCurrentPosition(
      (position) => {
        const latlng = L.latLng(position.coords.latitude, position.coords.longitude);
        map.setView(latlng, 18);
        choose(latlng);
      },
      () => (found.textContent = words.here_none),
      { enableHighAccuracy: true, timeout: 10000 }
    );
  });
  if (field("lon").value && field("lat").value) {
    choose(L.latLng(Number(field("lat").value), Number(field("lon").value)));
  }
})();
