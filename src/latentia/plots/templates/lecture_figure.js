// The figure at each value of what moves it; the slider says which is seen.
const slider = document.getElementById("place"), sheets = [...document.querySelectorAll(".sheet")];
const slide = () => {
  sheets.forEach((sheet, i) => { sheet.hidden = i !== +slider.value; });
  document.querySelector("output").textContent = sheets[slider.value].dataset.value;
};
if (slider) { slider.oninput = slide; slide(); }
