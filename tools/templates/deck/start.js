// Shows the slides, and makes the letters of a slide smaller where they would run off it.
const SMALLEST = 2 / 3; // of the size that the style gives: 20 pixels for words and 14 for code, of 720; what then runs off is too much for one slide
const LONGEST = 1.3; // times a slide's width: a longer printed line is wrapped, not made that much smaller

function shrink(element, overflows) {
  const whole = parseFloat(getComputedStyle(element).fontSize);
  for (let share = 1; overflows() && share > SMALLEST; share -= 0.02) element.style.fontSize = `${whole * share}px`;
}

function fit(slide) {
  if (slide.dataset.fits) return;
  slide.querySelectorAll(".output_text pre").forEach((part) => part.classList.toggle("wrapped", part.scrollWidth > LONGEST * part.clientWidth));
  shrink(slide, () => slide.scrollHeight > slide.clientHeight);
  slide.querySelectorAll("pre, table").forEach((part) => shrink(part, () => part.scrollWidth > Math.min(part.clientWidth, slide.clientWidth)));
  slide.dataset.fits = slide.scrollHeight <= slide.clientHeight && slide.scrollWidth <= slide.clientWidth ? "yes" : "no";
}

const printing = /print-pdf/i.test(location.search);
const keys = { 78: () => { Reveal.configure({ showNotes: !Reveal.getConfig().showNotes }); Reveal.layout(); } }; // N: the notes beside the slide

addEventListener("load", async () => {
  await document.fonts.ready;
  Reveal.on("ready", (event) => fit(event.currentSlide));
  Reveal.on("slidechanged", (event) => fit(event.currentSlide));
  Reveal.on("pdf-ready", () => document.querySelectorAll(".slides section").forEach(fit));
  await Reveal.initialize({
    width: 1280, height: 720, margin: 0.05, center: false, display: "flex", hash: true, slideNumber: "c/t", transition: "none",
    keyboard: keys, showNotes: printing && "separate-page", pdfSeparateFragments: false, plugins: [RevealNotes, RevealZoom],
  });
});
