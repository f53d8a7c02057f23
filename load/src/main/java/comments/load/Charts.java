package comments.load;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.regex.Pattern;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws a run, as SVG. */
final class Charts {

    private static final int WIDTH = 900;
    private static final int HEIGHT = 320;
    private static final Pattern DIGITS = Pattern.compile("\\d+\\.\\d{2,}");

    private final List<Sample> samples;

    Charts(List<Sample> samples) {
        this.samples = samples;
    }

    /** A line over the time of the run. */
    record Line(String name, ToDoubleFunction<Sample> value) {
    }

    String overTime(String title, String unit, List<Line> lines) throws IOException {
        Map<String, double[]> values = new LinkedHashMap<>();
        lines.forEach(line -> values.put(line.name(), samples.stream().mapToDouble(line.value()).toArray()));
        return lines(title, "s", unit, samples.stream().mapToDouble(Sample::second).toArray(), values);
    }

    static String lines(String title, String xAxis, String yAxis, double[] x, Map<String, double[]> values) throws IOException {
        XYChart chart = new XYChartBuilder().width(WIDTH).height(HEIGHT).title(title).xAxisTitle(xAxis).yAxisTitle(yAxis).build();
        chart.getStyler().setYAxisDecimalPattern("#,###.###");
        values.forEach((name, y) -> chart.addSeries(name, x, y).setMarker(SeriesMarkers.NONE));
        return svg(chart);
    }

    /** The growth per second from one sample to the next. */
    ToDoubleFunction<Sample> perSecond(ToDoubleFunction<Sample> total) {
        return sample -> {
            int i = samples.indexOf(sample);
            if (i == 0) {
                return total.applyAsDouble(sample) / sample.second();
            }
            Sample before = samples.get(i - 1);
            return (total.applyAsDouble(sample) - total.applyAsDouble(before)) / (sample.second() - before.second());
        };
    }

    static String byRate(String title, String unit, boolean logarithmic, List<Step> steps, List<String> names,
            List<ToDoubleFunction<Step>> values) throws IOException {
        XYChart chart = new XYChartBuilder().width(WIDTH).height(HEIGHT).title(title).xAxisTitle("offered, requests/s")
                .yAxisTitle(unit).build();
        chart.getStyler().setYAxisLogarithmic(logarithmic);
        double[] rates = steps.stream().mapToDouble(step -> step.rate).toArray();
        for (int i = 0; i < names.size(); i++) {
            chart.addSeries(names.get(i), rates, steps.stream().mapToDouble(values.get(i)).toArray());
        }
        return svg(chart);
    }

    static String bars(String title, String unit, List<String> categories, List<String> names, List<List<Double>> values)
            throws IOException {
        CategoryChart chart = new CategoryChartBuilder().width(WIDTH).height(HEIGHT).title(title).yAxisTitle(unit).build();
        chart.getStyler().setStacked(true);
        for (int i = 0; i < names.size(); i++) {
            chart.addSeries(names.get(i), categories, values.get(i));
        }
        return svg(chart);
    }

    private static String svg(Chart<?, ?> chart) throws IOException {
        Styler styler = chart.getStyler();
        styler.setLegendPosition(Styler.LegendPosition.OutsideE);
        styler.setChartBackgroundColor(java.awt.Color.WHITE);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        VectorGraphicsEncoder.saveVectorGraphic(chart, out, VectorGraphicsFormat.SVG);
        String svg = out.toString(StandardCharsets.UTF_8);
        // a precision of a tenth of a pixel is enough, and halves the file
        return DIGITS.matcher(svg.substring(svg.indexOf("<svg"))).replaceAll(number ->
                String.format(Locale.ROOT, "%.1f", Double.parseDouble(number.group())).replace(".0", ""));
    }
}
