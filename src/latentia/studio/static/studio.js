"use strict";
// What every page of the studio does beside showing itself.

// A frame that takes long must not hold up the page that it stands in.
addEventListener("load", () => {
  for (const frame of document.querySelectorAll("iframe[data-src]")) {
    frame.addEventListener("load", () => frame.parentElement.classList.add("there"));
    frame.src = frame.dataset.src;
  }
});
