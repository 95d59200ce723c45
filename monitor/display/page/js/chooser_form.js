// The form of the chooser, the same on both pages.

const FORM = `
  <form method="dialog">
    <h2 id="chooser-title" tabindex="-1" autofocus data-text="choose"></h2>
    <p id="choose-why" role="status"></p>
    <fieldset id="choose-tempo">
      <legend data-text="choose.tempo"></legend>
      <div class="tiles" id="choose-tempos"></div>
    </fieldset>
    <fieldset id="choose-load">
      <legend data-text="load"></legend>
      <div class="stepper"><output id="choose-kg"></output><div class="tiles" id="choose-steps"></div></div>
      <label class="tick"><input type="checkbox" name="learn"><span data-text="choose.learn"></span></label>
    </fieldset>
    <fieldset id="choose-lifter">
      <legend data-text="choose.lifter"></legend>
      <input name="lifter" maxlength="64" autocomplete="off" autocapitalize="off" spellcheck="false"
             data-label="choose.lifter">
    </fieldset>
    <p id="choose-answer" role="status"></p>
    <div class="pair">
      <button value="close" data-text="close"></button>
      <button name="use" value="use" class="strong" data-text="choose.use"></button>
    </div>
  </form>
`;

/** Adds the dialog at the end of the page, in the page's language. */
export function chooserDialog(words) {
  const dialog = document.createElement("dialog");
  dialog.id = "chooser";
  dialog.setAttribute("aria-labelledby", "chooser-title");
  dialog.innerHTML = FORM;
  words.fill(dialog);
  document.body.append(dialog);
  return dialog;
}
