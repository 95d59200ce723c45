// The tooltip of a mark.

class Tip {
  constructor(box) {
    this.box = box;
    this.element = html("div", "tip");
    this.element.id = "tip";
    this.element.setAttribute("role", "tooltip");
    this.element.hidden = true;
    box.append(this.element);
  }

  show({ record, at }) {
    const words = [
      html("b", "", record.name),
      html("span", "quiet", record.when),
      html("span", "", record.what),
      html("span", "", record.why),
    ];
    if (record.remedy) words.push(html("span", "remedy", record.remedy));
    if (record.part_of) words.push(html("span", "quiet", "Part of another event, so it is not counted again."));
    this.element.replaceChildren(...words);
    this.element.dataset.id = record.id;
    this.element.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const middle = Math.min(Math.max((at.from + at.until) / 2, at.from), this.box.clientWidth);
    const left = Math.max(0, Math.min(middle - width / 2, this.box.clientWidth - width));
    const below = at.middle + 18;
    const fits = this.box.getBoundingClientRect().top + below + height < innerHeight;
    this.element.style.left = `${left}px`;
    this.element.style.top = `${fits ? below : at.middle - height - 16}px`; // below it leaves the curves visible
  }

  hide() {
    this.element.hidden = true;
    delete this.element.dataset.id;
  }
}
