// Draws every figure of a page from the JSON beside it. Figures inside a closed <details> are drawn when it is opened.
"use strict";
(function () {
  const OPTIONS = { displayModeBar: false, responsive: true, showTips: false, scrollZoom: false };
  const PRINT_WIDTH = { wide: 680, narrow: 330 };
  const drawn = [];

  function draw(box) {
    if (box.dataset.drawn) { return; }
    box.dataset.drawn = "yes";
    const figure = JSON.parse(document.getElementById(box.dataset.figure).textContent);
    Plotly.newPlot(box, figure.data, figure.layout, OPTIONS);
    drawn.push(box);
  }

  function drawOpen() {
    document.querySelectorAll(".plot").forEach(function (box) {
      const fold = box.closest("details");
      if (!fold || fold.open) { draw(box); }
    });
  }

  function fit(forPrint) {
    drawn.forEach(function (box) {
      const inPair = Boolean(box.closest(".pair"));
      const height = Number(box.dataset.height);
      const paper = { width: inPair ? PRINT_WIDTH.narrow : PRINT_WIDTH.wide, height: box.id.startsWith("course-") ? 0.85 * height : height, autosize: false };
      Plotly.relayout(box, forPrint ? paper : { width: null, height: height, autosize: true });
    });
  }

  document.addEventListener("DOMContentLoaded", function () {
    drawOpen();
    document.querySelectorAll("details").forEach(function (fold) { fold.addEventListener("toggle", drawOpen); });
  });
  window.addEventListener("beforeprint", function () { fit(true); });
  window.addEventListener("afterprint", function () { fit(false); });
})();
