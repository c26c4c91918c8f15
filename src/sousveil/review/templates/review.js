"use strict";
const questions = [...document.querySelectorAll("fieldset")];
const count = document.getElementById("count");
const save = document.getElementById("save");
let unsaved = false;

const answerOf = (question) => question.querySelector("input:checked")?.value ?? "";
const quoted = (text) => `"${text.replaceAll('"', '""')}"`;

function answersAsCsv() {
  const rows = questions
    .filter((question) => answerOf(question) !== "")
    .map((question) => [question.dataset.left, question.dataset.right, answerOf(question)]);
  const lines = [["observation_id_l", "observation_id_r", "answer"], ...rows];
  return lines.map((line) => line.map(quoted).join(",")).join("\r\n") + "\r\n";
}

document.addEventListener("change", () => {
  const answered = questions.filter((question) => answerOf(question) !== "").length;
  count.textContent = `${answered} of ${questions.length} answered`;
  save.disabled = answered === 0;
  unsaved = true;
});

save.addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([answersAsCsv()], { type: "text/csv" }));
  link.download = "answers.csv";
  link.click();
  URL.revokeObjectURL(link.href);
  unsaved = false;
});

window.addEventListener("beforeunload", (event) => {
  if (unsaved) event.preventDefault();
});
